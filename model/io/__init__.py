"""Dumps in and rows out: inputs, archives, compression, record readers, validation and writers."""
