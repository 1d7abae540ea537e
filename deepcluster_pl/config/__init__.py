"""Hydra: recipes, composition, validation, the list of allowed code, fingerprints."""
