"""Systems that a model has to beat."""
