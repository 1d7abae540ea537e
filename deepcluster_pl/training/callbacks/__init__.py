"""What happens now and then during training: refreshing targets, measuring, showing progress."""
