//! Which events are judged, by the names of their types.

/// What an event of this type may do without an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Starts the SDK, for a visitor too.
    Boot,
    /// Says who the user is.
    Identify,
    /// Starts a widget; judged as identify is, but for a visitor too.
    Widget,
}

/// What the name of a type must be.
pub const EVENT_TYPES: &str = "must be boot, identify, or a widget's init_… or initialize_…";

impl Kind {
    /// The kind of the type of this name; none where events of it are not judged.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "boot" => Some(Self::Boot),
            "identify" => Some(Self::Identify),
            widget if widget.starts_with("init_") || widget.starts_with("initialize_") => Some(Self::Widget),
            _ => None,
        }
    }
}
