//! The people of the tests. The ids of entries and people never overlap, so that swapped ones fail loudly.

/// A provider.
pub const AMARA: &str = "Dr. Amara Osei";
/// Another provider.
pub const JONAS: &str = "Dr. Jonas Lindqvist";
/// A patient.
pub const MARTHA: &str = "Martha Ellison";
/// Another patient.
pub const ANDRE: &str = "Andre Okafor";
/// A patient whose name isn't ASCII.
pub const LUCIA: &str = "Lucía Fernández";
