"""Runs of Weights & Biases: those in a folder ``wandb``, or those of a project on its server."""
