//! How much a person may ask of the disk at once.

use crate::rate::Bucket;
use bedside_protocol::{ClinicId, Role, UserId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Uploads at once, of all people: each holds a connection and a file, and the disk is one.
const UPLOADS: usize = 16;
/// Of these, patients take so many at most: providers are never without one for what patients do.
const UPLOADS_OF_PATIENTS: usize = 12;
/// Of one person: our clients send one after the other, on two devices perhaps.
pub const UPLOADS_EACH: usize = 3;
/// Uploads that a person may begin a second.
const UPLOADS_PER_S: u32 = 2;
/// Downloads: a conversation full of photos, opened anew.
const DOWNLOADS_PER_S: u32 = 20;
/// People who are remembered before those who ask for nothing are forgotten.
const REMEMBERED: usize = 1000;

/// Somebody of a clinic.
type Person = (ClinicId, UserId);

/// Why not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// The person asks for too much; after this long, less would do.
    Person(Duration),
    /// Everybody together does.
    Everybody,
}

/// When a place may be free again.
const PLACE: Duration = Duration::from_secs(5);

struct Account {
    uploads: Bucket,
    downloads: Bucket,
    places: Arc<Semaphore>,
}

impl Account {
    fn new(now: Instant) -> Self {
        Self {
            uploads: Bucket::new(UPLOADS_PER_S, now),
            downloads: Bucket::new(DOWNLOADS_PER_S, now),
            places: Arc::new(Semaphore::new(UPLOADS_EACH)),
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let still = self.places.available_permits() == UPLOADS_EACH;
        still && self.uploads.is_full(now) && self.downloads.is_full(now)
    }
}

/// An upload's place, given back when it is dropped.
pub struct Place {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    _of_patients: Option<OwnedSemaphorePermit>,
}

/// Who asks for how much.
pub struct Allowance {
    people: Mutex<BTreeMap<Person, Account>>,
    places: Arc<Semaphore>,
    patients: Arc<Semaphore>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            people: Mutex::default(),
            places: Arc::new(Semaphore::new(UPLOADS)),
            patients: Arc::new(Semaphore::new(UPLOADS_OF_PATIENTS)),
        }
    }
}

impl Allowance {
    fn people(&self) -> MutexGuard<'_, BTreeMap<Person, Account>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T>(&self, person: Person, now: Instant, ask: impl FnOnce(&mut Account) -> T) -> T {
        let mut people = self.people();
        if people.len() >= REMEMBERED {
            people.retain(|_, account| !account.is_idle(now));
        }
        ask(people.entry(person).or_insert_with(|| Account::new(now)))
    }

    /// Begins an upload.
    pub fn upload(&self, person: Person, role: Role, now: Instant) -> Result<Place, NotNow> {
        let own = self.of(person, now, |account| {
            let own = account.places.clone().try_acquire_owned().map_err(|_| NotNow::Person(PLACE))?;
            account.uploads.take(now).map_err(NotNow::Person)?;
            Ok(own)
        })?;
        let take = |of: &Arc<Semaphore>| of.clone().try_acquire_owned().map_err(|_| NotNow::Everybody);
        let of_patients = (role == Role::Patient).then(|| take(&self.patients)).transpose()?;
        Ok(Place { _own: own, _of_all: take(&self.places)?, _of_patients: of_patients })
    }

    /// Begins a download.
    pub fn download(&self, person: Person, now: Instant) -> Result<(), NotNow> {
        self.of(person, now, |account| account.downloads.take(now)).map_err(NotNow::Person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        (ClinicId::new("riverside").unwrap(), UserId::new(name).unwrap())
    }

    #[test]
    fn places_are_few_and_come_back() {
        let (all, start) = (Allowance::default(), Instant::now());
        let mut now = start;
        let mut places = Vec::new();
        for _ in 0..UPLOADS_EACH {
            places.push(all.upload(person("hana"), Role::Patient, now).ok().unwrap());
        }
        assert_eq!(all.upload(person("hana"), Role::Patient, now).err(), Some(NotNow::Person(PLACE)));
        for n in 0..UPLOADS_OF_PATIENTS - UPLOADS_EACH {
            places.push(all.upload(person(&format!("p{n}")), Role::Patient, now).ok().unwrap());
        }
        assert_eq!(all.upload(person("samuel"), Role::Patient, now).err(), Some(NotNow::Everybody));
        // Whatever patients do, providers have places.
        for n in 0..UPLOADS - UPLOADS_OF_PATIENTS {
            places.push(all.upload(person(&format!("d{n}")), Role::Provider, now).ok().unwrap());
        }
        assert_eq!(all.upload(person("amara"), Role::Provider, now).err(), Some(NotNow::Everybody));
        places.clear();
        now += Duration::from_secs(60);
        assert!(all.upload(person("hana"), Role::Patient, now).is_ok());
    }

    #[test]
    fn a_person_has_a_pace() {
        let (all, now) = (Allowance::default(), Instant::now());
        let begun = (0..100).filter(|_| all.upload(person("hana"), Role::Patient, now).is_ok()).count();
        assert_eq!(begun, (UPLOADS_PER_S * Bucket::BURST) as usize);
        let read = (0..1000).filter(|_| all.download(person("hana"), now).is_ok()).count();
        assert_eq!(read, (DOWNLOADS_PER_S * Bucket::BURST) as usize);
        assert!(all.upload(person("samuel"), Role::Patient, now).is_ok());
    }

    #[test]
    fn who_asks_for_nothing_is_forgotten() {
        let (all, now) = (Allowance::default(), Instant::now());
        for n in 0..REMEMBERED {
            all.download(person(&format!("p{n}")), now).unwrap();
        }
        let later = now + Duration::from_secs(60);
        let _place = all.upload(person("hana"), Role::Patient, now).ok().unwrap();
        all.download(person("samuel"), later).unwrap();
        let left: Vec<Person> = all.people().keys().cloned().collect();
        assert_eq!(left, [person("hana"), person("samuel")]);
    }
}
