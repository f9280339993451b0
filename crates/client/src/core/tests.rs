use super::*;
use crate::settings::Settings;
use crate::vault::{NoDoorkeeper, NoneAtAll};
use bedside_protocol::{ClinicId, Limits, Me, Role, UserId};

fn account(id: &str) -> Account {
    let (id, name) = (UserId::new(id).unwrap(), id.to_owned());
    let me = Me { id, name, role: Role::Provider, clinic: ClinicId::new("riverside").unwrap() };
    // Nobody listens there.
    Account { me, server: "http://127.0.0.1:9".into(), token: "t".into(), limits: Limits::default() }
}

/// While the session waits to start anew from a disk that failed, nobody else's account takes over its cache.
#[tokio::test]
async fn a_failed_disk_gives_nobody_elses_messages_away() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(dir.path().into(), Arc::new(NoneAtAll), false).unwrap();
    let shared = Arc::new(Shared::new(Settings::read(dir.path(), Policy::default())));
    let (doorkeeper, trust) = (Arc::new(NoDoorkeeper), Trust::system().unwrap());
    let (_ear, said) = mpsc::unbounded_channel();
    let mut core = Core::new(vault, doorkeeper, Policy::default(), trust, said, shared);
    core.open_cache(None);
    let opened = core.inbox.recv().await.unwrap();
    core.event(opened);
    core.keep(account("pr-amara")).unwrap();
    // As `Event::Committed` with an error does.
    core.restart_soon(core.epoch);
    let outcome = core.keep(account("pr-jonas"));
    let now = Reader::open(core.files.as_ref().unwrap()).unwrap().account().unwrap().unwrap().me.id;
    assert_eq!((outcome, now.as_str()), (Err(Failure::SignedIn), "pr-amara"));
}
