"""The same as in `gatys`, faster or in less memory; each is held to its reference by a test."""
