//! A person's commands: which may be done now, and what each comes down to.

use crate::api::{Command, Failure, Link, LockedBy, Reply, Setting, Vault};
use crate::core::{Answer, Core, Event};
use crate::sign_in;
use crate::vault::SHORTEST;
use bedside_engine::{Engine, Input, Look, OutboxRow, OutboxState};
use bedside_protocol::{Body, EntryId, Send, Seq, Time};
use bedside_store::{Draft, Reader, Write};
use std::sync::Arc;

enum Credentials {
    Token(String),
    Demo(String),
}

/// What a command comes down to.
#[allow(clippy::large_enum_variant, reason = "a step is moved once")]
enum Step {
    Input(Input, Reply),
    Write(Write),
    SendNow(EntryId),
    SendHeld(Vec<EntryId>),
    SignIn(String, Credentials),
    Forget,
    Lock,
    Unlock(String),
    Open,
    SetPassphrase(Option<String>, String),
    SystemUnlock,
    UnlockBySystem,
    Settings,
    Set(Setting),
    Done,
}

impl Core {
    /// Does a command, or answers why not.
    pub(crate) fn command(&mut self, command: Command, answer: Answer) {
        match self.prepare(command) {
            Ok(Step::Input(input, reply)) => self.handle(input, Some((answer, reply))),
            Ok(Step::Write(write)) => self.write(None, vec![write], Some((answer, Reply::Done))),
            Ok(Step::SignIn(server, credentials)) => self.sign_in(server, credentials, answer),
            Ok(Step::SendNow(id)) => {
                self.handle(Input::SendNow(id), Some((answer, Reply::Done)));
                self.handle(Input::Reconnect, None);
            }
            Ok(Step::SendHeld(held)) => {
                held.into_iter().for_each(|id| self.handle(Input::SendNow(id), None));
                let _gone = answer.send(Ok(Reply::Done));
            }
            Ok(Step::Forget) => self.forget(Link::SignedOut, Some(answer)),
            Ok(Step::Lock) => {
                let outcome = self.lock(LockedBy::Person);
                let _gone = answer.send(outcome.map(|()| Reply::Done));
            }
            Ok(Step::Unlock(passphrase)) => self.unlock(passphrase, answer),
            Ok(Step::Open) => self.open_cache(Some(answer)),
            Ok(Step::SetPassphrase(current, new)) => self.set_passphrase(current, new, answer),
            Ok(Step::SystemUnlock) => self.look_for_doorkeeper(Some(answer)),
            Ok(Step::UnlockBySystem) => self.unlock_by_system(answer),
            Ok(Step::Settings) => {
                let _gone = answer.send(Ok(self.settings()));
            }
            Ok(Step::Set(setting)) => self.set(setting, answer),
            Ok(Step::Done) => {
                let _gone = answer.send(Ok(Reply::Done));
            }
            Err(failure) => {
                let _gone = answer.send(Err(failure));
            }
        }
    }

    fn prepare(&mut self, command: Command) -> Result<Step, Failure> {
        match command {
            Command::Unlock { passphrase } => return Ok(Step::Unlock(passphrase)),
            Command::SystemUnlock => return Ok(Step::SystemUnlock),
            Command::UnlockBySystem => return Ok(Step::UnlockBySystem),
            Command::OpenCache => return self.may_open_again(),
            Command::SignOut { discard_waiting: true } if self.is_locked() => return Ok(Step::Forget),
            _ => {}
        }
        let vault = self.shared.with_live(|live| live.vault);
        let may_connect = matches!(vault, Vault::Expired { .. })
            && matches!(
                command,
                Command::Lock
                    | Command::Reconnect
                    | Command::Pause
                    | Command::SignIn { .. }
                    | Command::SignInDemo { .. }
            );
        // What was typed when it locked is still kept, as long as the keys are here.
        let may_keep = self.leaving.is_some() && matches!(command, Command::SaveDraft { .. });
        if !(matches!(vault, Vault::Open { .. }) || may_connect || may_keep) {
            return Err(Failure::Locked);
        }
        match command {
            Command::SignIn { server, token } => return self.may_sign_in(server, Credentials::Token(token)),
            Command::SignInDemo { server, name } => return self.may_sign_in(server, Credentials::Demo(name)),
            Command::Active => {
                self.somebody_is_here();
                return Ok(Step::Done);
            }
            Command::Lock => return Ok(Step::Lock),
            Command::Settings => return Ok(Step::Settings),
            Command::Set { setting } => return Ok(Step::Set(setting)),
            Command::SetPassphrase { current, new } => return may_be_passphrase(current, new),
            _ => {}
        }
        let now = self.clock.now();
        let session = self.session.as_ref().ok_or_else(|| self.why_no_session())?;
        let input = match command {
            Command::SignOut { discard_waiting } => {
                let (waiting, refused) = session.engine.outbox_counts();
                let count = u32::try_from(waiting + refused).unwrap_or(u32::MAX);
                if count > 0 && !discard_waiting {
                    return Err(Failure::WaitingMessages { count });
                }
                return Ok(Step::Forget);
            }
            Command::Send { conversation, text, files, seen, hold_ms } => {
                let text_bytes = session.account.limits.text_bytes;
                let blank = text.trim().is_empty();
                if (blank && files.is_empty()) || text.len() > text_bytes as usize {
                    return Err(Failure::BadText { text_bytes });
                }
                let attached = self.shared.read(|reader| reader.attached(&conversation))?;
                let file = |sha256: &String| attached.iter().find(|file| file.sha256 == *sha256).cloned();
                let files = files.iter().map(file).collect::<Option<Vec<_>>>().ok_or(Failure::NotFound)?;
                let bodies = files.into_iter().map(Body::File).chain((!blank).then(|| Body::text(text)));
                let send = |body| Send {
                    id: EntryId::from_parts(now, random()),
                    conversation: conversation.clone(),
                    seen,
                    body,
                    from: None,
                    force: false,
                };
                let sends: Vec<_> = bodies.map(send).collect();
                let id = sends.last().map(|send| send.id).ok_or(Failure::BadText { text_bytes })?;
                let hold_until = if hold_ms == 0 { Time::ZERO } else { now.plus(hold_ms.into()) };
                return Ok(Step::Input(Input::Send { sends, at: now, hold_until }, Reply::Accepted { id }));
            }
            Command::SaveDraft { conversation, text, cursor } => {
                return Ok(Step::Write(Write::Draft(conversation, Draft { text, cursor })));
            }
            Command::Detach { conversation, sha256 } => {
                return Ok(Step::Write(Write::Detach(conversation, sha256)));
            }
            Command::SendNow { id } => {
                session.engine.outgoing(id).ok_or(Failure::NotFound)?;
                return Ok(Step::SendNow(id));
            }
            Command::SendAgain { id, seen } => {
                let row = session.engine.outgoing(id).ok_or(Failure::NotFound)?;
                match row.state {
                    OutboxState::Refused(_) => Input::SendAgain(id, seen),
                    OutboxState::Waiting | OutboxState::Uploading | OutboxState::Sending => {
                        return Err(Failure::OnItsWay);
                    }
                }
            }
            Command::Discard { id } => {
                recallable(&session.engine, id)?;
                Input::Discard(id)
            }
            Command::Recall { id } => {
                let text = recallable(&session.engine, id)?.text().to_owned();
                return Ok(Step::Input(Input::Recall(id), Reply::Recalled { text }));
            }
            Command::SendHeld => {
                let held = session.engine.held().collect();
                return Ok(Step::SendHeld(held));
            }
            Command::MarkRead { conversation, upto } => Input::Read(conversation, upto),
            Command::Open { conversation } => Input::Open(conversation),
            Command::LoadOlder { conversation } => {
                if !matches!(session.engine.link(), bedside_engine::Link::Live { .. }) {
                    return Err(Failure::Offline);
                }
                Input::LoadOlder(conversation)
            }
            Command::Search { text } => self.seek(text, &session.engine),
            Command::Look { conversation, at, from, to } => {
                Input::Look(Look { conversation, at, from, to: to.unwrap_or(Seq::MAX) })
            }
            Command::Typing { conversation } => Input::Typing(conversation),
            Command::Reconnect => Input::Reconnect,
            Command::Pause => Input::Pause,
            // Answered above.
            Command::SignIn { .. }
            | Command::SignInDemo { .. }
            | Command::Lock
            | Command::Unlock { .. }
            | Command::SystemUnlock
            | Command::UnlockBySystem
            | Command::Settings
            | Command::Set { .. }
            | Command::OpenCache
            | Command::SetPassphrase { .. }
            | Command::Active => return Err(Failure::SignedIn),
        };
        Ok(Step::Input(input, Reply::Done))
    }

    fn settings(&self) -> Reply {
        Reply::Settings { settings: self.shared.settings.seen(self.doorkeeper_there) }
    }

    /// Sets something at once, and answers when it is kept.
    fn set(&self, setting: Setting, answer: Answer) {
        if let Err(failure) = self.shared.settings.set(setting) {
            let _gone = answer.send(Err(failure));
            return;
        }
        self.look_at_opener();
        let (shared, reply) = (Arc::clone(&self.shared), self.settings());
        tokio::task::spawn_blocking(move || {
            let _gone = answer.send(shared.settings.write().map(|()| reply));
        });
    }

    /// A cache that is closed, not one that is locked or open.
    fn may_open_again(&self) -> Result<Step, Failure> {
        match self.shared.with_live(|live| live.vault) {
            Vault::Closed { .. } => Ok(Step::Open),
            Vault::Open { .. } => Ok(Step::Done),
            Vault::Opening | Vault::Locked { .. } | Vault::Expired { .. } => Err(Failure::Locked),
        }
    }

    /// Without a session nobody is signed in, or the disk has failed and the session starts anew in a moment.
    pub(crate) fn why_no_session(&self) -> Failure {
        let signed_in = self.shared.with_live(|live| live.account.is_some());
        if signed_in { Failure::Storage } else { Failure::SignedOut }
    }

    /// Nobody may be signed in, unless the server refuses the account that is.
    fn may_sign_in(&self, server: String, credentials: Credentials) -> Result<Step, Failure> {
        let link = self.session.as_ref().map(|session| session.engine.link());
        match link {
            None | Some(bedside_engine::Link::Refused(_)) => Ok(Step::SignIn(server, credentials)),
            Some(_) => Err(Failure::SignedIn),
        }
    }

    fn sign_in(&self, server: String, credentials: Credentials, answer: Answer) {
        let (events, files, trust) = (self.events.clone(), self.files.clone(), self.trust.clone());
        let cache = self.caches;
        tokio::spawn(async move {
            let outcome = async {
                let files = files.ok_or(Failure::Locked)?;
                let device = Reader::open(&files).and_then(|reader| reader.device());
                let device = device.map_err(|_| Failure::Storage)?;
                let token = match credentials {
                    Credentials::Token(token) => token,
                    Credentials::Demo(name) => sign_in::demo_token(&server, &name).await?,
                };
                sign_in::sign_in(&server, &token, &device, trust).await
            };
            let outcome = outcome.await;
            let _gone = events.send(Event::SignedIn { cache, outcome, answer });
        });
    }
}

fn may_be_passphrase(current: Option<String>, new: String) -> Result<Step, Failure> {
    match new.chars().count() < SHORTEST as usize {
        true => Err(Failure::ShortPassphrase { characters: SHORTEST }),
        false => Ok(Step::SetPassphrase(current, new)),
    }
}

/// A message that can be taken back; once handed over and not refused, the server may have it.
fn recallable(engine: &Engine, id: EntryId) -> Result<&OutboxRow, Failure> {
    let row = engine.outgoing(id).ok_or(Failure::NotFound)?;
    if row.may_have_been_sent() { Err(Failure::OnItsWay) } else { Ok(row) }
}

/// Ten random bytes, from the generator that makes random UUIDs.
fn random() -> [u8; 10] {
    let mut random = [0; 10];
    random.iter_mut().zip(uuid::Uuid::new_v4().into_bytes()).for_each(|(to, from)| *to = from);
    random
}
