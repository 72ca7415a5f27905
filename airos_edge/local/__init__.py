"""The box's own microphone and loudspeaker, and the conversation that is held over them."""
