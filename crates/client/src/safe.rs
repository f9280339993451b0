//! Opening, locking and destroying the cache.
//!
//! ```text
//!             keys found        lock, idle, sleep, session
//!   Opening ─────────────▶ Open ──────────────────────────▶ Locked: nothing is shown, what is on its
//!    ▲  │ ▲                 │                                │     way goes out, then the keys leave
//!    │  │ └── sign out, wipe┘◀──── passphrase, or sign-in ───┘     the memory (entry.rs has the second)
//!    │  ▼
//!   Closed: the keychain or the disk says no; nothing is touched
//! ```
//!
//! Whatever waits for the keychain, the disk or a passphrase's derivation runs beside the core's loop.

use crate::api::{ClosedBy, Failure, Keeper, Link, LockedBy, Opener, Repair, Repaired, Reply, Vault as Safe};
use crate::core::{Answer, Core, Event};
use crate::live::Live;
use crate::machine::LEAVE_TO_SLEEP_MS;
use crate::policy::DAY_MS;
use crate::vault::{Closed, Opened, Vault};
use crate::watch::Dirty;
use bedside_engine::Input;
use bedside_protocol::Time;
use bedside_store::{self as store, Cache, Files, Reached, Reader, StoreError, Write, Writer};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long what is on its way may still go out after the window shows nothing any more.
const LEAVE_MS: u64 = 5_000;
/// How often it is kept that the server is reached, and what the clock shows.
const NOTE_CLOCK_MS: u64 = 60 * 60 * 1000;
/// A cache that is found damaged again so soon wasn't healed by being made anew.
const HEAL_AGAIN_MS: u64 = 10 * 60 * 1000;
/// How long after the start the whole cache is looked through for damage: the first minute is for people.
const CHECK_AFTER: Duration = Duration::from_secs(60);

/// An opened cache.
pub(crate) struct Ready {
    opened: Opened,
    cache: Cache,
    reader: Reader,
}

pub(crate) fn ready(opened: Opened, distrusted: bool) -> Result<Ready, Closed> {
    let device = uuid::Uuid::new_v4().to_string();
    let open = if distrusted { Cache::rebuild } else { Cache::open };
    let cache = open(&opened.files, &device)?;
    let reader = Reader::open(&opened.files)?;
    Ok(Ready { opened, cache, reader })
}

impl Core {
    /// Opens the cache, as far as that goes without anybody.
    pub(crate) fn open_cache(&mut self, answer: Option<Answer>) {
        self.set_safe(Safe::Opening);
        self.unseal(answer, |vault| ready(vault.open()?, false));
    }

    pub(crate) fn unlock(&mut self, passphrase: String, answer: Answer) {
        // Already open: there is nothing to give it for.
        if self.shared.with_live(|live| live.is_open()) {
            let _gone = answer.send(Ok(Reply::Done));
            return;
        }
        self.close_cache();
        self.unseal(Some(answer), move |vault| {
            let passphrase = zeroize::Zeroizing::new(passphrase);
            let ready = ready(vault.unlock(&passphrase)?, false)?;
            vault.note_open();
            Ok(ready)
        });
    }

    pub(crate) fn set_passphrase(&mut self, current: Option<String>, new: String, answer: Answer) {
        let Some(files) = self.files.clone() else {
            let _gone = answer.send(Err(Failure::Locked));
            return;
        };
        let (vault, events) = (Arc::clone(&self.vault), self.events.clone());
        let (one_at_a_time, life) = (Arc::clone(&self.unsealing), self.vault.life());
        tokio::task::spawn_blocking(move || {
            let _alone = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
            let (current, new) = (current.map(zeroize::Zeroizing::new), zeroize::Zeroizing::new(new));
            let outcome =
                vault.set_passphrase(life, &files, current.as_ref().map(|text| text.as_str()), &new);
            let _gone = events.send(Event::Sealed { outcome, answer });
        });
    }

    pub(crate) fn sealed(&mut self, outcome: Result<Keeper, Closed>, answer: Answer) {
        if let Ok(keeper) = &outcome {
            self.kept_by = (*keeper, true);
            if self.shared.with_live(|live| live.is_open()) {
                self.set_safe(self.open_safe());
            }
        }
        let _gone = answer.send(outcome.map(|_| Reply::Done).map_err(|closed| failure(&closed)));
    }

    /// Destroys the keys and the cache, and begins an empty one.
    pub(crate) fn forget(&mut self, link: Link, answer: Option<Answer>) {
        self.ask_anew();
        self.close_cache();
        self.shared.with_live(|live| *live = Live::signed_out(link));
        self.shared.with_news(|news| news.end());
        self.shared.publish(&Dirty::everything());
        self.unseal(answer, |vault| ready(vault.shred()?, false));
    }

    /// Shows nothing any more, from now on. Keys leave the memory once what is on its way has gone out.
    pub(crate) fn lock(&mut self, by: LockedBy) -> Result<(), Failure> {
        let opener = self.opener().ok_or(Failure::NoPassphrase)?;
        match self.vault.lock(opener) {
            Ok(()) => {}
            Err(closed @ Closed::NoPassphrase) => return Err(failure(&closed)),
            // It locks all the same; a restart would open it.
            Err(closed) => tracing::error!(%closed, "that it is locked can't be kept"),
        }
        self.set_safe(Safe::Locked { by, opener, waiting: 0 });
        let leave_ms = if by == LockedBy::Sleep { LEAVE_TO_SLEEP_MS } else { LEAVE_MS };
        self.leaving = Some(self.clock.now().plus(leave_ms));
        let held: Vec<_> = self.session.iter().flat_map(|session| session.engine.held()).collect();
        held.into_iter().for_each(|id| self.handle(Input::SendNow(id), None));
        self.handle(Input::Open(None), None);
        Ok(())
    }

    /// Locks, if there is something to lock with: now, or once it is open and that is known.
    pub(crate) fn lock_if_possible(&mut self, by: LockedBy) {
        self.ask_anew();
        if self.is_opening() || self.opener_may_come() {
            self.lock_once_open = Some(by);
        } else if self.may_lock() {
            self.lock_now(by);
        } else if self.lacks_doorkeeper() {
            // It may be there by now.
            self.lock_once_open = Some(by);
            self.look_for_doorkeeper(None);
        }
    }

    /// Does what a lock waited for, if something would open it again.
    pub(crate) fn lock_at_last(&mut self) {
        if self.is_opening() {
            return;
        }
        if let Some(by) = self.lock_once_open.take()
            && self.may_lock()
        {
            self.lock_now(by);
        }
    }

    fn lock_now(&mut self, by: LockedBy) {
        if let Err(failure) = self.lock(by) {
            // Somebody took its keys.json away. Not again at once.
            tracing::error!(%failure, "it can't be locked");
            self.somebody_is_here();
        }
    }

    fn is_opening(&self) -> bool {
        self.opening == Some(self.epoch)
    }

    /// Whether a lock waits for the cache to be open, or for word of what would open it again.
    pub(crate) fn will_lock(&self) -> bool {
        self.lock_once_open.is_some() && (self.is_opening() || self.opener_may_come())
    }

    fn may_lock(&self) -> bool {
        self.opener().is_some()
            && self.shared.with_live(|live| matches!(live.vault, Safe::Open { .. } | Safe::Expired { .. }))
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.shared.with_live(|live| {
            matches!(live.vault, Safe::Locked { .. } | Safe::Closed { .. } | Safe::Expired { .. })
        })
    }

    pub(crate) fn somebody_is_here(&mut self) {
        self.active = self.clock.now();
    }

    /// When [`Core::look_at_safe`] has something to do.
    pub(crate) fn safe_timer(&self) -> Option<Time> {
        let lease = self.lease_over_at().filter(|_| self.shared.with_live(|live| live.is_open()));
        self.leaving.into_iter().chain(self.idle_at()).chain(lease).chain(self.clock_noted_at()).min()
    }

    /// Until when the server must have been reached; none: it needn't, or nobody is signed in.
    fn lease_over_at(&self) -> Option<Time> {
        let days = u64::from(self.policy.lease_days);
        let signed_in = self.shared.with_live(|live| live.account.is_some());
        self.reached.at.filter(|_| signed_in && 0 < days).map(|at| at.plus(days * DAY_MS))
    }

    /// From time to time the clock's time is kept, so that setting it back lengthens no lease.
    fn clock_noted_at(&self) -> Option<Time> {
        self.session.as_ref().map(|_| self.reached.clock.plus(NOTE_CLOCK_MS))
    }

    /// Notes that the server is reached, and closes what is cached once it hasn't been for too long.
    pub(crate) fn look_at_lease(&mut self) {
        let now = self.clock.now();
        if self.session.is_some() {
            self.note_reached(now);
        }
        let over = self.lease_is_over();
        match self.shared.with_live(|live| live.vault) {
            Safe::Open { .. } if over => {
                tracing::warn!("the server has not been reached for too long");
                self.set_safe(self.expired());
            }
            Safe::Expired { .. } if !over => self.set_safe(self.open_safe()),
            _ => {}
        }
    }

    fn is_live(&self) -> bool {
        let link = self.session.as_ref().map(|session| session.engine.link());
        matches!(link, Some(bedside_engine::Link::Live { .. }))
    }

    fn lease_is_over(&self) -> bool {
        let now = self.clock.now().max(self.reached.clock);
        !self.is_live() && self.lease_over_at().is_some_and(|at| at <= now)
    }

    fn expired(&self) -> Safe {
        Safe::Expired { reached: self.reached.at.unwrap_or(self.reached.clock) }
    }

    fn note_reached(&mut self, now: Time) {
        let live = self.is_live();
        let known = self.reached.at.map(|at| at.plus(NOTE_CLOCK_MS));
        if live && known.is_none_or(|again| again <= now) || self.reached.at.is_none() {
            // Before the first time, the lease begins now.
            self.reached = Reached { at: Some(now), clock: now };
            self.write(None, vec![Write::Reached(now)], None);
        } else if self.clock_noted_at().is_some_and(|at| at <= now) {
            self.reached.clock = now;
            self.write(None, vec![Write::Clock(now)], None);
        }
    }

    fn idle_at(&self) -> Option<Time> {
        let idle_ms = u64::from(self.shared.settings.idle_lock_minutes()) * 60_000;
        (self.may_lock() && 0 < idle_ms).then(|| self.active.plus(idle_ms))
    }

    /// Locks once nobody has been here for long enough, and lets the keys go once nothing is on its way.
    pub(crate) fn look_at_safe(&mut self) {
        self.look_at_lease();
        let now = self.clock.now();
        if self.idle_at().is_some_and(|at| at <= now) {
            self.lock_if_possible(LockedBy::Idle);
        }
        let Some(until) = self.leaving else { return };
        let on_its_way = self.session.as_ref().is_some_and(|session| {
            matches!(session.engine.link(), bedside_engine::Link::Live { .. })
                && 0 < session.engine.outbox_counts().0
        });
        if !on_its_way || until <= now {
            self.close_cache();
        }
    }

    /// Lets go of the cache and its keys.
    pub(crate) fn close_cache(&mut self) {
        let waiting = self.session.as_ref().map(|session| session.engine.outbox_counts());
        self.epoch += 1;
        self.caches += 1;
        self.leaving = None;
        self.session = None;
        self.shared.set_reader(None);
        self.writer = None;
        self.files = None;
        let locked = self.shared.with_live(|live| {
            let Safe::Locked { by, opener, .. } = live.vault else { return false };
            let (vault, repaired) = (live.vault, live.repaired);
            *live = Live { vault, repaired, ..Live::signed_out(Link::SignedOut) };
            if let Some((waiting, refused)) = waiting {
                let waiting = u32::try_from(waiting + refused).unwrap_or(u32::MAX);
                live.vault = Safe::Locked { by, opener, waiting };
            }
            true
        });
        if locked {
            self.shared.publish(&Dirty::everything());
        }
    }

    /// Does something with the vault beside the loop, and then takes what it opened.
    pub(crate) fn unseal(
        &mut self,
        answer: Option<Answer>,
        open: impl FnOnce(&Vault) -> Result<Ready, Closed> + Send + 'static,
    ) {
        self.epoch += 1;
        self.opening = Some(self.epoch);
        let (vault, events, epoch) = (Arc::clone(&self.vault), self.events.clone(), self.epoch);
        let one_at_a_time = Arc::clone(&self.unsealing);
        tokio::task::spawn_blocking(move || {
            // Nobody opens files that somebody else is deleting.
            let _alone = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = Box::new(open(&vault));
            let _gone = events.send(Event::Opened { epoch, outcome, answer });
        });
    }

    /// The cache is open, or stays closed.
    pub(crate) fn opened(&mut self, outcome: Result<Ready, Closed>, answer: Option<Answer>) {
        self.opening = None;
        let outcome = outcome.and_then(|ready| Ok(self.take(ready)?));
        if let Err(Closed::Store(error)) = &outcome
            && error.is_damage()
            && self.files.is_some()
        {
            // It opened with its key: the rest of it is damaged.
            if let Some(answer) = answer {
                let _gone = answer.send(Ok(Reply::Done));
            }
            return self.after_trouble(error, self.epoch);
        }
        if let Err(closed) = &outcome {
            self.close_cache();
            tracing::warn!(%closed, "the cache stays closed");
            let now = self.shared.with_live(|live| live.vault);
            self.set_safe(match (closed, now) {
                (Closed::WrongPassphrase | Closed::NoPassphrase, locked @ Safe::Locked { .. }) => locked,
                (Closed::Locked(opener), _) => {
                    Safe::Locked { by: LockedBy::Start, opener: *opener, waiting: 0 }
                }
                (Closed::WrongPassphrase | Closed::NoPassphrase, _) => {
                    Safe::Locked { by: LockedBy::Start, opener: Opener::Passphrase, waiting: 0 }
                }
                (Closed::Keychain(_), _) => Safe::Closed { why: ClosedBy::Keychain },
                (Closed::Store(StoreError::Newer(_)), _) => Safe::Closed { why: ClosedBy::Newer },
                (Closed::Store(_), _) => Safe::Closed { why: ClosedBy::Disk },
            });
        }
        if let Some(answer) = answer {
            let _gone = answer.send(outcome.map(|()| Reply::Done).map_err(|closed| failure(&closed)));
        }
        self.handle(Input::Start, None);
        if let Some(by) = self.lock_once_open.take() {
            self.lock_if_possible(by);
        }
    }

    fn take(&mut self, ready: Ready) -> Result<(), StoreError> {
        let Ready { opened: Opened { files, keeper, has_passphrase }, cache, reader } = ready;
        if let Some(repair) = cache.repair() {
            let repaired = Repaired { what: Repair::from(repair), at: self.clock.now() };
            tracing::error!(what = ?repaired.what, "the cache was mended");
            note(&files, &repaired);
            self.shared.with_live(|live| live.repaired = Some(repaired));
        }
        let shared = Arc::clone(&self.shared);
        self.writer = Some(Writer::start(cache, move || shared.publish(&Dirty::indexed()))?);
        self.shared.set_reader(Some(reader));
        self.files = Some(files.clone());
        self.kept_by = (keeper, has_passphrase);
        self.somebody_is_here();
        // What it holds is known before anybody is told that it is open.
        self.begin()?;
        let over = self.lease_is_over();
        self.set_safe(if over { self.expired() } else { self.open_safe() });
        self.look_at_lease();
        self.look_for_doorkeeper(None);
        self.check_later();
        Ok(())
    }

    /// Looks through all of the cache, later and beside everything else.
    fn check_later(&self) {
        let (events, epoch) = (self.events.clone(), self.epoch);
        tokio::spawn(async move {
            tokio::time::sleep(CHECK_AFTER).await;
            let _gone = events.send(Event::Check { epoch });
        });
    }

    /// Begins to look through the cache, if it is still the one.
    pub(crate) fn check(&self, epoch: u64) {
        let Some(files) = self.files.clone().filter(|_| epoch == self.epoch && self.leaving.is_none()) else {
            return;
        };
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = Reader::open(&files).and_then(|reader| reader.check()) {
                let _gone = events.send(Event::Damaged { epoch, error });
            }
        });
    }

    /// The cache can't be read or written: it is made anew if it is damaged, and tried again otherwise.
    pub(crate) fn after_trouble(&mut self, error: &StoreError, epoch: u64) {
        let now = self.clock.now();
        let healed = self.rebuilt.is_some_and(|at| now < at.plus(HEAL_AGAIN_MS));
        if epoch != self.epoch || !error.is_damage() || healed {
            return self.restart_soon(epoch);
        }
        if self.leaving.is_some() {
            // Locked: its passphrase opens it, and then it is found to be damaged again.
            return self.close_cache();
        }
        let Some(files) = self.files.clone() else { return };
        let (keeper, has_passphrase) = self.kept_by;
        tracing::error!(%error, "the cache is damaged");
        self.rebuilt = Some(now);
        self.close_cache();
        self.set_safe(Safe::Opening);
        self.unseal(None, move |_| ready(Opened { files, keeper, has_passphrase }, true));
    }

    pub(crate) fn set_safe(&self, safe: Safe) {
        self.shared.with_live(|live| live.vault = safe);
        self.shared.with_news(|news| news.open(matches!(safe, Safe::Open { .. })));
        self.shared.publish(&Dirty::everything());
    }

    pub(crate) fn open_safe(&self) -> Safe {
        let keeper = if self.policy.keep_nothing { Keeper::NothingByPolicy } else { self.kept_by.0 };
        let idle_minutes = self.shared.settings.idle_lock_minutes();
        Safe::Open { keeper, opener: self.opener(), idle_minutes }
    }
}

/// Adds a line to the list of what was mended, which stays for whoever looks into it.
fn note(files: &Files, repaired: &Repaired) {
    use std::io::Write;
    let path = files.database().with_file_name("repairs.log");
    let line = format!("{} {:?}\n", repaired.at.millis(), repaired.what);
    let file = std::fs::File::options().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        tracing::warn!(%error, "what was mended can't be noted");
    }
}

fn failure(closed: &Closed) -> Failure {
    match closed {
        Closed::Locked(_) | Closed::Keychain(_) => Failure::Locked,
        Closed::WrongPassphrase => Failure::WrongPassphrase,
        Closed::NoPassphrase => Failure::NoPassphrase,
        Closed::Store(_) => Failure::Storage,
    }
}

impl From<store::Repair> for Repair {
    fn from(repair: store::Repair) -> Self {
        match repair {
            store::Repair::Rebuilt => Repair::Rebuilt,
            store::Repair::Salvaged => Repair::Salvaged,
            store::Repair::CaughtUp => Repair::CaughtUp,
            store::Repair::Copied => Repair::Copied,
            store::Repair::SetAside => Repair::SetAside,
        }
    }
}
