"""Torch and ONNX parts that only training needs."""
