"""Candidate sources, one file each: what proposes tags, and the features it contributes."""
