"""Ways to train an autoencoder before clustering: one LightningModule each."""
