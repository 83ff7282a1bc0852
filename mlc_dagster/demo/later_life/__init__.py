"""What happens after both sides agreed: people go on in every system, a run fails, and each is told as it is."""
