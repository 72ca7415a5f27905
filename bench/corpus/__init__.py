"""What the ears are measured on: sentences, voices and rooms, every one drawn by a seed.

The sentences are in the text files beside this, each line with the split it belongs to. Settings are
chosen on the split "tune" with the voices of `voices.TUNE`; figures are of the split "test", with
espeak-ng's voices of `voices.TEST`, and with flite's of `voices.HELD_OUT`, on which nothing is chosen.
"""
