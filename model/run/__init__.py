"""`wusum tag`: the command, its loop, workers, sinks and the manifest that makes a run resumable."""
