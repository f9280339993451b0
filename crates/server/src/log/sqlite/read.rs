//! The reading side.

use super::rows::{self, all, first, id, number, record, select_records, select_threads, signed, thread};
use super::{search, uploads};
use crate::log::{Fault, Found, Job, Page, Reader, Record, Revocation, Summary, Upload};
use bedside_protocol::{ClinicId, ConversationId, Epoch, Rev, Role, Search, Seq, Time, UserId};
use rusqlite::{Connection, Transaction};
use std::collections::{BTreeMap, BTreeSet};

pub struct SqliteReader {
    connection: Connection,
}

impl SqliteReader {
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// One state of the log for all that a call reads.
    fn snapshot(&mut self) -> Result<Transaction<'_>, Fault> {
        Ok(self.connection.transaction()?)
    }
}

impl Reader for SqliteReader {
    fn revs(&mut self) -> Result<BTreeMap<ClinicId, Rev>, Fault> {
        let rows = all(&self.connection, "SELECT clinic, rev FROM clinics", &[], |row| {
            Ok((id(row, "clinic")?, Rev::new(number(row, "rev")?)))
        })?;
        Ok(rows.into_iter().collect())
    }

    fn changes(
        &mut self,
        clinic: &ClinicId,
        patient: Option<&UserId>,
        since: Rev,
        limit: u32,
    ) -> Result<Page, Fault> {
        let snapshot = self.snapshot()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let since = signed(since.get());
        let read = |row: &rusqlite::Row<'_>| Ok(thread(row)?.summary);
        let clinic = clinic.as_str();
        let mut summaries: Vec<Summary> = match patient {
            Some(patient) => all(
                &snapshot,
                select_threads!("AND c.patient = ?2 AND c.rev > ?3"),
                &[&clinic, &patient.as_str(), &since],
                read,
            )?,
            None => all(
                &snapshot,
                select_threads!("AND c.rev > ?2 ORDER BY c.rev LIMIT ?3"),
                &[&clinic, &since, &signed(limit as u64 + 1)],
                read,
            )?,
        };
        let more = summaries.len() > limit;
        summaries.truncate(limit);
        let newest = first(&snapshot, "SELECT rev FROM clinics WHERE clinic = ?1", &[&clinic], |row| {
            Ok(Rev::new(number(row, "rev")?))
        })?;
        let rev = match summaries.last() {
            Some(summary) if more => summary.conversation.rev,
            _ => newest.unwrap_or(Rev::ZERO),
        };
        Ok(Page { rev, more, summaries })
    }

    fn conversation(&mut self, clinic: &ClinicId, id: &ConversationId) -> Result<Option<Summary>, Fault> {
        summary(&self.connection, clinic, id)
    }

    fn entries(
        &mut self,
        clinic: &ClinicId,
        id: &ConversationId,
        from: Seq,
        to: Seq,
    ) -> Result<Option<(Summary, Vec<Record>)>, Fault> {
        let snapshot = self.snapshot()?;
        let Some(summary) = summary(&snapshot, clinic, id)? else {
            return Ok(None);
        };
        let records = all(
            &snapshot,
            select_records!("AND conversation = ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq"),
            &[&clinic.as_str(), &id.as_str(), &signed(from.get()), &signed(to.get())],
            record,
        )?;
        Ok(Some((summary, records)))
    }

    fn agrees(&mut self, clinic: &ClinicId, epoch: &Epoch, newest: Rev) -> Result<bool, Fault> {
        // Where the life ended: where the next one began, or where the clinic stands now.
        let end = first(
            &self.connection,
            "SELECT CASE WHEN next.number IS NULL
                    THEN (SELECT rev FROM clinics WHERE clinic = ?1)
                    ELSE (SELECT rev FROM epoch_starts WHERE clinic = ?1 AND epoch = next.number) END AS rev
             FROM epochs e LEFT JOIN epochs next ON next.number = e.number + 1 WHERE e.id = ?2",
            &[&clinic.as_str(), &epoch.as_str()],
            |row| {
                Ok(Rev::new(
                    row.get::<_, Option<i64>>("rev")?.and_then(|rev| u64::try_from(rev).ok()).unwrap_or(0),
                ))
            },
        )?;
        Ok(end.is_some_and(|end| newest <= end))
    }

    fn revocations(&mut self) -> Result<BTreeMap<(ClinicId, UserId), Revocation>, Fault> {
        let rows = all(&self.connection, "SELECT clinic, user, at, wipe FROM revocations", &[], |row| {
            let revocation = Revocation { at: Time::new(number(row, "at")?), wipe: row.get("wipe")? };
            Ok(((id(row, "clinic")?, id(row, "user")?), revocation))
        })?;
        Ok(rows.into_iter().collect())
    }

    fn search(&mut self, clinic: &ClinicId, search: &Search) -> Result<Found, Fault> {
        search::search(&*self.snapshot()?, clinic, search)
    }

    fn blob(
        &mut self,
        clinic: &ClinicId,
        sha256: &str,
        patient: Option<&UserId>,
    ) -> Result<Option<u64>, Fault> {
        uploads::bytes(&self.connection, clinic, sha256, patient)
    }

    fn blobs(&mut self) -> Result<BTreeSet<(ClinicId, String)>, Fault> {
        let rows = all(&self.connection, "SELECT DISTINCT clinic, sha256 FROM uploads", &[], |row| {
            Ok((id(row, "clinic")?, row.get("sha256")?))
        })?;
        Ok(rows.into_iter().collect())
    }

    fn unsent(&mut self, clinic: &ClinicId, who: &UserId, role: Role, sha256: &str) -> Result<u64, Fault> {
        uploads::unsent(&self.connection, clinic, who, role, sha256)
    }

    fn stale(&mut self, before: Time, limit: u32) -> Result<Vec<Upload>, Fault> {
        uploads::stale(&self.connection, before, limit)
    }

    fn jobs(&mut self) -> Result<Vec<Job>, Fault> {
        let sql = "SELECT t.clinic, t.conversation, t.task, t.basis FROM tasks t
                   JOIN entries e ON e.clinic = t.clinic AND e.conversation = t.conversation AND e.seq = t.basis
                   WHERE t.ended IS NULL ORDER BY e.clinic, e.rev, t.task";
        Ok(all(&self.connection, sql, &[], |row| {
            Ok(Job {
                clinic: id(row, "clinic")?,
                conversation: id(row, "conversation")?,
                task: row.get("task")?,
                basis: Seq::new(number(row, "basis")?),
            })
        })?)
    }
}

fn summary(
    connection: &Connection,
    clinic: &ClinicId,
    id: &ConversationId,
) -> Result<Option<Summary>, Fault> {
    let found =
        first(connection, select_threads!("AND c.id = ?2"), &[&clinic.as_str(), &id.as_str()], rows::thread)?;
    Ok(found.map(|thread| thread.summary))
}
