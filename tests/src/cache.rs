//! What a cache of tests holds.

use bedside_protocol::{ClinicId, Limits, Me, Role, UserId};
use bedside_store::Account;

/// Whose cache it is.
pub fn account() -> Account {
    let me = Me {
        id: UserId::new("pr-bench").expect("an id"),
        name: "Bench".into(),
        role: Role::Provider,
        clinic: ClinicId::new("bench").expect("an id"),
    };
    Account { me, server: "https://chat.example".into(), token: "t".into(), limits: Limits::default() }
}
