"""A small house to try things out in, which says that it is one."""

from airos_edge.home.house import AreaSettings, DeviceSettings, Settings

LABEL = "in the demo house"
HOUSE = Settings(
    areas=tuple(AreaSettings(name) for name in ("kitchen", "living room", "bedroom", "office")),
    devices=(
        DeviceSettings("kitchen light", "light", "kitchen"),
        DeviceSettings("coffee machine", "switch", "kitchen"),
        DeviceSettings("floor lamp", "light", "living room"),
        DeviceSettings("ceiling light", "light", "living room"),
        DeviceSettings("bedroom lamp", "light", "bedroom"),
        DeviceSettings("bedroom fan", "fan", "bedroom"),
        DeviceSettings("desk lamp", "light", "office"),
    ),
)
