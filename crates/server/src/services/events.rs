//! Server-sent events, as far as model services speak them: the `data` of each, whatever pieces it comes in.

/// Longest line: a service that sends more in one sends no chat.
const MAX_LINE_BYTES: usize = 256 * 1024;

/// Something longer than any event of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Reads a stream's events.
#[derive(Debug, Default)]
pub struct Events {
    /// The line that hasn't ended.
    line: Vec<u8>,
    /// The event that hasn't ended.
    data: String,
    /// Whether the last byte was CR, so that a LF ends no second line.
    after_cr: bool,
}

impl Events {
    /// Takes the next piece; answers with the events that it completes. Comments and other fields are passed over.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in piece {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            self.after_cr = byte == b'\r';
            if self.line.len() > MAX_LINE_BYTES || self.data.len() > MAX_LINE_BYTES {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// The event that the stream's end cut off from its empty line.
    pub fn end(mut self) -> Option<String> {
        self.end_line().or_else(|| self.take())
    }

    fn end_line(&mut self) -> Option<String> {
        // Whole lines alone: a piece may end within a character.
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        if line.is_empty() {
            return self.take();
        }
        if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        None
    }

    fn take(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| events.feed(piece).unwrap()).collect();
        all.extend(events.end());
        all
    }

    const STREAM: &str = "\u{feff}: ping\n\ndata: {\"a\": \"é\"}\n\nevent: x\ndata:one\ndata: two\nid: 7\n\n\n: ping\ndata: last";

    #[test]
    fn the_data_of_each_event_and_nothing_else() {
        assert_eq!(read(&[STREAM.as_bytes()]), ["{\"a\": \"é\"}", "one\ntwo", "last"]);
        assert_eq!(read(&[]), [""; 0]);
    }

    #[test]
    fn what_is_longer_than_any_chat_is_refused() {
        let piece = [b'x'; 1024];
        let mut events = Events::default();
        let fed = (0..=256).map(|_| events.feed(&piece)).find(Result::is_err);
        assert_eq!(fed, Some(Err(TooLong)));
        let mut events = Events::default();
        let fed = (0..=1024).map(|_| events.feed(format!("data: {}\n", "x".repeat(300)).as_bytes()));
        assert!(fed.into_iter().any(|fed| fed == Err(TooLong)));
    }

    proptest! {
        #[test]
        fn pieces_and_line_ends_make_no_difference(cuts in prop::collection::vec(0usize..200, 0..20), end in 0..3) {
            let end = ["\n", "\r\n", "\r"][end as usize];
            let stream = STREAM.replace('\n', end).into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let (mut pieces, mut from) = (Vec::new(), 0);
            for to in cuts.into_iter().chain([stream.len()]) {
                pieces.push(&stream[from..to]);
                from = to;
            }
            prop_assert_eq!(read(&pieces), ["{\"a\": \"é\"}", "one\ntwo", "last"]);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut events = Events::default();
            let _ = events.feed(&bytes);
            events.end();
        }
    }
}
