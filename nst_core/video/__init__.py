"""Videos: each frame goes on from the one before, carried along by the optical flow."""
