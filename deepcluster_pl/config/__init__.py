"""Configs, by Hydra: recipes, composition, validation, the list of trusted code, fingerprints."""
