"""MQTT: the broker, and the box as a device that others see there and may ask things of."""
