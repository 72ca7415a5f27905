"""The Wyoming protocol: the box's stages for Home Assistant and other boxes, and theirs for this one."""
