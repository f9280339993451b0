use super::*;

fn kept(folder: &Path) -> Settings {
    Settings::read(folder, Policy::default())
}

#[test]
fn what_is_set_holds_at_once_and_after_a_restart_for_its_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = kept(folder.path());
    assert_eq!(first.seen(true), kept(folder.path()).seen(true));
    assert_eq!((first.system_unlock(), first.idle_lock_minutes()), (true, 10));
    let mut shown = first.shown();
    assert_eq!(*shown.borrow_and_update(), Shown { notifications: true, content_protection: true });
    for setting in [
        Setting::Notifications { on: false },
        Setting::ContentProtection { on: false },
        Setting::SystemUnlock { on: false },
        Setting::IdleLock { minutes: 2 },
    ] {
        first.set(setting).unwrap();
    }
    assert!(shown.has_changed().unwrap());
    assert_eq!(*shown.borrow_and_update(), Shown { notifications: false, content_protection: false });
    assert_eq!(kept(folder.path()).idle_lock_minutes(), 10, "nothing is written yet");
    first.write().unwrap();
    let second = kept(folder.path());
    assert_eq!(second.seen(true), first.seen(true));
    assert_eq!((second.system_unlock(), second.idle_lock_minutes()), (false, 2));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_the_policy_says_holds_and_what_it_leaves_open_is_the_users() {
    let folder = tempfile::tempdir().unwrap();
    let first = kept(folder.path());
    first.set(Setting::Notifications { on: false }).unwrap();
    first.set(Setting::IdleLock { minutes: 8 }).unwrap();
    first.write().unwrap();
    let policy = Policy {
        notifications: Some(true),
        content_protection: Some(false),
        system_unlock: Some(false),
        idle_lock_minutes: 5,
        ..Policy::default()
    };
    let second = Settings::read(folder.path(), policy);
    assert_eq!(*second.shown().borrow(), Shown { notifications: true, content_protection: false });
    assert!(!second.system_unlock());
    assert_eq!(second.seen(true).system_unlock, Switch { on: false, set_by: SetBy::Policy });
    assert_eq!((second.idle_lock_minutes(), second.seen(true).idle_lock_most), (5, 5));
    for setting in [
        Setting::Notifications { on: false },
        Setting::ContentProtection { on: true },
        Setting::SystemUnlock { on: true },
        Setting::IdleLock { minutes: 6 },
    ] {
        assert_eq!(second.set(setting), Err(Failure::SetByPolicy), "{setting:?}");
    }
    second.set(Setting::IdleLock { minutes: 3 }).unwrap();
    assert_eq!(second.idle_lock_minutes(), 3);
    second.set(Setting::IdleLock { minutes: 0 }).unwrap();
    assert_eq!(second.idle_lock_minutes(), 5);
    // Without the policy, what the user wanted earlier holds again.
    second.write().unwrap();
    assert!(!kept(folder.path()).shown().borrow().notifications);
}

#[test]
fn where_the_policy_never_locks_the_user_may() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Settings::read(folder.path(), Policy { idle_lock_minutes: 0, ..Policy::default() });
    assert_eq!(kept.idle_lock_minutes(), 0);
    kept.set(Setting::IdleLock { minutes: 30 }).unwrap();
    assert_eq!(kept.idle_lock_minutes(), 30);
}

#[test]
fn what_this_computer_has_not_got_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let seen = kept(folder.path()).seen(false);
    assert_eq!(seen.system_unlock, Switch { on: false, set_by: SetBy::Missing });
    let protected = cfg!(any(windows, target_os = "macos"));
    assert_eq!(seen.content_protection.on, protected);
    assert_eq!(seen.content_protection.set_by == SetBy::Missing, !protected);
}

#[test]
fn settings_that_cannot_be_read_are_set_aside_and_a_missing_one_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    std::fs::write(&file, r#"{"notifications": false, "of_a_later_version": 1}"#).unwrap();
    let some = kept(folder.path());
    assert!(!some.seen(true).set_aside);
    assert_eq!(*some.shown().borrow(), Shown { notifications: false, content_protection: true });
    std::fs::write(&file, r#"{"notifications": fal"#).unwrap();
    let none = kept(folder.path());
    assert!(none.seen(true).set_aside);
    assert!(none.shown().borrow().notifications);
    let aside = std::fs::read_to_string(folder.path().join("settings.json.unreadable")).unwrap();
    assert_eq!(aside, r#"{"notifications": fal"#);
    assert!(!kept(folder.path()).seen(true).set_aside, "said once");
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_what_is_set_holds_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path());
    kept.set(Setting::IdleLock { minutes: 1 }).unwrap();
    // No file takes a folder's place.
    std::fs::create_dir(folder.path().join(FILE)).unwrap();
    assert_eq!(kept.write(), Err(Failure::Storage));
    assert_eq!(kept.idle_lock_minutes(), 1);
}
