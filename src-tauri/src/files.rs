//! Files between the window and the core: in as raw bytes, shown through an address of their own, saved on a person's word.

use bedside_client::api::Failure;
use bedside_client::{Attachment, Client, Content, ConversationId, Place};
use percent_encoding::percent_decode_str;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use tauri::http::{Request, Response, StatusCode, header};
use tauri::ipc::InvokeBody;

/// The scheme under which the window finds pictures: `bedside-file://localhost/CONVERSATION/FILE`.
pub(crate) const SCHEME: &str = "bedside-file";

/// File systems take names of 255 bytes: the stem, an extension, and room for a number between them.
const STEM_BYTES: usize = 200;
const EXTENSION_BYTES: usize = 30;
/// Names that are tried for a saved file before giving up.
const TRIES: u32 = 1_000;

/// Reads what the window attaches: the bytes as the body, all else in headers, percent-encoded.
pub(crate) fn attachment(request: &tauri::ipc::Request<'_>) -> Result<Attachment, Failure> {
    let InvokeBody::Raw(bytes) = request.body() else { return Err(Failure::NotFound) };
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        percent_decode_str(value).decode_utf8_lossy().into_owned()
    };
    Ok(Attachment {
        conversation: ConversationId::new(header("conversation")).map_err(|_| Failure::NotFound)?,
        name: header("name"),
        media_type: header("media-type"),
        bytes: bytes.clone(),
    })
}

/// Answers the window's request for a picture. Nothing but pictures is answered, whatever a message calls its file.
pub(crate) async fn picture(client: &Client, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    let answer = match path.trim_start_matches('/').parse::<Place>() {
        Ok(place) => client.content(place).await,
        Err(failure) => Err(failure),
    };
    let (status, kind, bytes) = match answer {
        Ok(Content { bytes, .. }) => match picture_type(&bytes) {
            Some(kind) => (StatusCode::OK, kind, bytes),
            None => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/plain", Vec::new()),
        },
        Err(Failure::Offline | Failure::Storage) => {
            (StatusCode::SERVICE_UNAVAILABLE, "text/plain", Vec::new())
        }
        Err(_) => (StatusCode::NOT_FOUND, "text/plain", Vec::new()),
    };
    let mut response = Response::new(bytes);
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// What kind of picture the bytes begin as, among those that the window shows.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Writes a file into `folder`, under its own name or the next that is free, for its user alone. Says under which.
pub(crate) fn save(folder: &Path, content: &Content) -> Result<String, Failure> {
    let name = safe_name(&content.file.shown_name());
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= EXTENSION_BYTES => {
            (stem, format!(".{extension}"))
        }
        _ => (name.as_str(), String::new()),
    };
    let stem = stem.get(..stem.floor_char_boundary(STEM_BYTES)).unwrap_or(stem);
    std::fs::create_dir_all(folder).map_err(|_| Failure::NotSaved)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for n in 0..TRIES {
        let name = match n {
            0 => format!("{stem}{extension}"),
            n => format!("{stem} ({n}){extension}"),
        };
        let mut file = match options.open(folder.join(&name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(_) => break,
        };
        if file.write_all(&content.bytes).and_then(|()| file.sync_all()).is_ok() {
            return Ok(name);
        }
        // Half a file is worse than none.
        let _gone = std::fs::remove_file(folder.join(&name));
        break;
    }
    Err(Failure::NotSaved)
}

/// A name that is one on each system, and hides nothing.
fn safe_name(name: &str) -> String {
    // It would cut a long name's extension off.
    let options = sanitize_filename::Options { truncate: false, ..Default::default() };
    let name = sanitize_filename::sanitize_with_options(name, options);
    let name = name.trim().trim_start_matches('.').trim();
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedside_client::File;

    fn content(name: &str) -> Content {
        let (sha256, media_type) = ("0".repeat(64), "image/png".into());
        let file = File { sha256, name: name.into(), media_type, bytes: 3, extra: Default::default() };
        Content { file, bytes: vec![1, 2, 3] }
    }

    #[test]
    fn a_saved_file_stays_in_its_folder_and_takes_nothing_elses_place() {
        let folder = tempfile::tempdir().unwrap();
        for (given, name) in [
            ("rash.png", "rash.png"),
            ("rash.png", "rash (1).png"),
            ("../../etc/passwd", "etcpasswd"),
            (".bashrc", "bashrc"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a/b\\c:d.txt", "abcd.txt"),
            ("..", "file"),
            ("", "file (1)"),
        ] {
            assert_eq!(save(folder.path(), &content(given)).as_deref(), Ok(name), "{given:?}");
            assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), [1, 2, 3]);
        }
        let long = format!("{}.png", "ü".repeat(240));
        for _ in 0..2 {
            let name = save(folder.path(), &content(&long)).unwrap();
            assert!(name.len() < 255 && name.ends_with(".png"), "{name}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join("rash.png")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn only_pictures_are_shown() {
        assert_eq!(picture_type(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(picture_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(picture_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg onload=alert(1)>"[..], b"<html>", b"%PDF-1.7", b"", b"\x89PNG"] {
            assert_eq!(picture_type(other), None, "{other:?}");
        }
    }
}
