//! Files: attached to drafts, brought to the server before their messages, fetched to be looked at.

use crate::api::{Failure, Reply};
use crate::core::{Answer, Core, Event, Running, Session};
use crate::transfer::{Transfer, sha256};
use crate::watch::Dirty;
use bedside_engine::{Input, OutboxState};
use bedside_protocol::{Code, ConversationId, EntryId, Extra, File, Refusal, is_sha256};
use bedside_store::{Committed, FileOf, Files, Reader, StoreError, Write};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Files that one draft may have.
const MOST: u32 = 10;
/// Largest file that is fetched, in bytes. A server's present limit is for what is new: what it took before, it gives.
const LARGEST: u64 = 100 << 20;
/// Longest name, in characters, as the protocol has it.
const NAME_CHARS: usize = 255;

/// A file as a person gave it.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// To whose draft.
    pub conversation: ConversationId,
    /// Its name; a path's last part.
    pub name: String,
    /// Its media type, as far as it is known; may be empty.
    pub media_type: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// What its message will say. Reads all of the bytes.
    pub(crate) fn file(&self) -> File {
        let name = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
        let media_type = match self.media_type.as_str() {
            "" => "application/octet-stream",
            media_type => media_type,
        };
        File {
            sha256: sha256(&self.bytes),
            name: if name.trim().is_empty() { "file".to_owned() } else { name },
            media_type: media_type.to_owned(),
            bytes: self.bytes.len() as u64,
            extra: Extra::new(),
        }
    }
}

/// Which file, as the window writes it: a conversation, and a message's id or the digest of what is attached to its draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) conversation: ConversationId,
    pub(crate) of: FileOf,
}

impl std::str::FromStr for Place {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let (conversation, of) = text.split_once('/').ok_or(Failure::NotFound)?;
        let conversation = ConversationId::new(conversation).map_err(|_| Failure::NotFound)?;
        let of = match of.parse() {
            Ok(id) => FileOf::Message(id),
            Err(_) if is_sha256(of) => FileOf::Draft(of.to_owned()),
            Err(_) => return Err(Failure::NotFound),
        };
        Ok(Self { conversation, of })
    }
}

/// A file to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// What its message says of it.
    pub file: File,
    /// The bytes that it speaks of.
    pub bytes: Vec<u8>,
}

pub(crate) type ContentAnswer = oneshot::Sender<Result<Content, Failure>>;

impl Core {
    /// Keeps a file with a draft, or says why not.
    pub(crate) fn attach(&mut self, id: ConversationId, file: File, bytes: Arc<[u8]>, answer: Answer) {
        match self.may_attach(&id, &file) {
            Ok(()) => {
                self.write_aside(vec![Write::Attach(id, file, bytes)], Some(answer));
            }
            Err(failure) => {
                let _gone = answer.send(Err(failure));
            }
        }
    }

    fn may_attach(&self, id: &ConversationId, file: &File) -> Result<(), Failure> {
        let session = self.open_session()?;
        let file_bytes = session.account.limits.file_bytes.ok_or(Failure::NoFiles)?;
        if file.bytes == 0 || u64::from(file_bytes) < file.bytes {
            return Err(Failure::BadFile { file_bytes });
        }
        let there = self.shared.read(|reader| reader.attached(id))?;
        if there.len() < MOST as usize { Ok(()) } else { Err(Failure::TooManyFiles { most: MOST }) }
    }

    /// The session, while what is cached may be shown.
    fn open_session(&self) -> Result<&Session, Failure> {
        if !self.shared.with_live(|live| live.is_open()) {
            return Err(Failure::Locked);
        }
        self.session.as_ref().ok_or_else(|| self.why_no_session())
    }

    /// Brings a message's file to the server; [`Event::Uploaded`] says how that went.
    pub(crate) fn upload(&mut self, id: EntryId, file: File) {
        let Some(session) = self.session.as_mut() else { return };
        let conversation = session.engine.outgoing(id).map(|row| row.send.conversation.clone());
        let (Some(conversation), Some(files)) = (conversation, self.files.clone()) else { return };
        let transfer = Transfer::new(&session.account, &self.trust);
        let (events, epoch, shared) = (self.events.clone(), self.epoch, Arc::clone(&self.shared));
        let task = tokio::spawn(async move {
            let outcome = async {
                let bytes = match bytes_here(files, &conversation, &file).await {
                    Ok(Some(bytes)) => bytes.into(),
                    Ok(None) => return Err(Refusal::new(Code::NotFound, "its bytes are not here")),
                    Err(_) => return Err(Refusal::new(Code::Unavailable, "the cache can't be read")),
                };
                let all = file.bytes.max(1);
                let sent = move |sent: u64| {
                    let percent = |sent: u64| sent.saturating_mul(100) / all;
                    let before = shared.with_live(|live| live.uploads.insert(id, sent)).unwrap_or_default();
                    if percent(before) != percent(sent) {
                        shared.publish(&Dirty::sending([conversation.clone()].into()));
                    }
                };
                transfer?.upload(&file, bytes, sent).await
            };
            let outcome = outcome.await;
            let _gone = events.send(Event::Uploaded { epoch, id, outcome });
        });
        session.uploads.insert(id, Running(task.abort_handle()));
    }

    /// Ends the uploads of what was taken back or thrown away.
    pub(crate) fn end_uploads(&mut self) {
        let Some(Session { engine, uploads, .. }) = &mut self.session else { return };
        let wanted = |id| engine.outgoing(id).is_some_and(|row| row.state == OutboxState::Uploading);
        uploads.retain(|id, _| wanted(*id));
        self.shared.with_live(|live| live.uploads.retain(|id, _| wanted(*id)));
    }

    /// Writes what nothing else stands on: if the disk doesn't take it, all else goes on.
    pub(crate) fn write_aside(&self, writes: Vec<Write>, answer: Option<Answer>) {
        let (events, epoch) = (self.events.clone(), self.epoch);
        let done = move |outcome| {
            let _gone = events.send(Event::Aside { epoch, outcome, answer });
        };
        match &self.writer {
            Some(writer) => writer.submit(None, writes, done),
            None => done(Err(StoreError::Stopped)),
        }
    }

    pub(crate) fn written_aside(
        &mut self,
        epoch: u64,
        outcome: Result<Committed, StoreError>,
        answer: Option<Answer>,
    ) {
        let done = match outcome {
            Ok(committed) => {
                // Perhaps: it costs one look.
                self.files_grew = true;
                self.shared.publish(&Dirty::topics(committed.topics));
                Ok(Reply::Done)
            }
            Err(error) => {
                tracing::warn!(%error, "a file is not kept");
                if error.is_damage() {
                    self.after_trouble(&error, epoch);
                }
                Err(Failure::Storage)
            }
        };
        if let Some(answer) = answer {
            let _gone = answer.send(done);
        }
    }

    /// Fetched files go beyond their own limit, and first of all where the cache weighs too much. Says whether any went.
    pub(crate) fn shrink_files(&mut self, too_much: bool) -> bool {
        if !(self.files_grew || too_much) {
            return false;
        }
        let Ok(weight) = self.shared.read(Reader::fetched_weight) else { return false };
        self.files_grew = false;
        let own = self.policy.attachment_bytes().unwrap_or(u64::MAX);
        // Half at a time: what was looked at last stays if that is enough.
        let most = if too_much { own.min(weight / 2) } else { own };
        if weight <= most {
            return false;
        }
        self.write_aside(vec![Write::ShrinkFiles(most)], None);
        true
    }

    pub(crate) fn uploaded(&mut self, epoch: u64, id: EntryId, outcome: Result<(), Refusal>) {
        if let Err(refusal) = &outcome {
            tracing::info!(code = ?refusal.code, "a file did not go up");
        }
        if epoch == self.epoch {
            self.handle(Input::Uploaded(id, outcome), None);
        }
    }

    /// Answers with a conversation's file, from here or from the server.
    pub(crate) fn content(&self, place: Place, answer: ContentAnswer) {
        let (file, files, transfer) = match self.wanted(&place) {
            Ok(wanted) => wanted,
            Err(failure) => {
                let _gone = answer.send(Err(failure));
                return;
            }
        };
        let (events, cache) = (self.events.clone(), self.caches);
        tokio::spawn(async move {
            let outcome = match bytes_here(files, &place.conversation, &file).await {
                Ok(Some(bytes)) => Ok(Got::Here(bytes)),
                Ok(None) if file.bytes <= LARGEST => fetch(transfer, &file).await.map(Got::Fetched),
                // It would be held in the memory as a whole.
                Ok(None) => Err(Failure::NotFound),
                Err(_) => Err(Failure::Storage),
            };
            let _gone = events.send(Event::Content { cache, place, file, outcome, answer });
        });
    }

    /// What it takes to get a file: what its message says of it, the cache, and the way to the server.
    fn wanted(&self, place: &Place) -> Result<(File, Files, Result<Transfer, Refusal>), Failure> {
        let session = self.open_session()?;
        let file = self.shared.read(|reader| reader.file(&place.conversation, &place.of))?;
        let beyond = || self.shared.with_live(|live| live.beyond.file(&place.conversation, &place.of));
        let file = file.or_else(beyond).ok_or(Failure::NotFound)?;
        let files = self.files.clone().ok_or(Failure::Locked)?;
        Ok((file, files, Transfer::new(&session.account, &self.trust)))
    }

    /// Keeps what was fetched, and answers; nothing is given to a window that was locked meanwhile.
    pub(crate) fn got(
        &mut self,
        cache: u64,
        Place { of, .. }: Place,
        file: File,
        outcome: Result<Got, Failure>,
        answer: ContentAnswer,
    ) {
        let outcome =
            if cache == self.caches { self.open_session().and(outcome) } else { Err(Failure::Locked) };
        if let Ok(Got::Fetched(bytes)) = &outcome {
            let (sha256, bytes) = (file.sha256.clone(), bytes.as_slice().into());
            if let FileOf::Message(entry) = of {
                self.write_aside(vec![Write::Fetched(entry, sha256, bytes, self.clock.now())], None);
            }
        }
        let content = |(Got::Here(bytes) | Got::Fetched(bytes))| Content { file, bytes };
        let _gone = answer.send(outcome.map(content));
    }
}

/// The bytes of a file, and whether they were here.
pub(crate) enum Got {
    Here(Vec<u8>),
    Fetched(Vec<u8>),
}

/// The bytes of a conversation's file, if they are here. Read beside the core and its views: a large file takes a while to
/// decrypt.
async fn bytes_here(files: Files, id: &ConversationId, file: &File) -> Result<Option<Vec<u8>>, StoreError> {
    let (id, sha256) = (id.clone(), file.sha256.clone());
    let read = move || Reader::open(&files)?.bytes(&id, &sha256);
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopped))
}

async fn fetch(transfer: Result<Transfer, Refusal>, file: &File) -> Result<Vec<u8>, Failure> {
    let outcome = async { transfer?.download(file).await }.await;
    outcome.map_err(|refusal| match refusal.code {
        Code::Unavailable | Code::RateLimited => Failure::Offline,
        _ => Failure::NotFound,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_conversation_and_a_message_or_a_digest() {
        let (conversation, id) =
            (ConversationId::new("c-1").unwrap(), "01890a5d-ac96-774b-bcce-b302099a8057");
        let of = FileOf::Message(id.parse().unwrap());
        assert_eq!(format!("c-1/{id}").parse(), Ok(Place { conversation: conversation.clone(), of }));
        let of = FileOf::Draft("a".repeat(64));
        assert_eq!(format!("c-1/{}", "a".repeat(64)).parse(), Ok(Place { conversation, of }));
        for bad in ["", "c-1", "c-1/", "c-1/../x", "/"] {
            assert_eq!(bad.parse::<Place>(), Err(Failure::NotFound), "{bad}");
        }
    }

    #[test]
    fn a_files_name_is_its_own_and_its_bytes_are_counted() {
        for (given, name) in [
            ("rash.jpg", "rash.jpg"),
            ("/home/amara/rash.jpg", "rash.jpg"),
            ("C:\\fakepath\\rash.jpg", "rash.jpg"),
            ("a\nb\u{0}.txt", "ab.txt"),
            ("", "file"),
            ("dir/", "file"),
            (" ", "file"),
        ] {
            let attachment = Attachment {
                conversation: ConversationId::new("c").unwrap(),
                name: given.into(),
                media_type: String::new(),
                bytes: b"abc".to_vec(),
            };
            let file = attachment.file();
            assert_eq!((file.name.as_str(), file.bytes), (name, 3), "{given}");
            assert_eq!(file.media_type, "application/octet-stream");
            assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        }
        let long = Attachment {
            conversation: ConversationId::new("c").unwrap(),
            name: "ü".repeat(300),
            media_type: "image/png".into(),
            bytes: vec![],
        };
        assert_eq!(long.file().name.chars().count(), 255);
    }
}
