"""The commands of `wusum train`, one module each."""
