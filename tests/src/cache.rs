//! What a cache of tests holds.

use bedside_protocol::{ClinicId, Limits, Me, Role, UserId};
use bedside_store::Account;

/// Whose cache it is. Nobody listens at the server's address.
pub fn account() -> Account {
    let me = Me {
        id: UserId::new("pr-bench").expect("an id"),
        name: "Bench".into(),
        role: Role::Provider,
        clinic: ClinicId::new("bench").expect("an id"),
    };
    Account { me, server: "http://127.0.0.1:9".into(), token: "t".into(), limits: Limits::default() }
}
