//! What the window may ask of the program.

use crate::{files, link};
use bedside_client::api::{Command, Failure, Query, Reply};
use bedside_client::{Client, Watcher};
use std::sync::{Mutex, PoisonError};
use tauri::ipc::JavaScriptChannelId;
use tauri::{AppHandle, Manager, State, Webview};

/// The window's side of the core.
pub struct Window {
    client: Client,
    watcher: Mutex<Option<Watcher>>,
}

impl Window {
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn new(client: Client) -> Self {
        Self { client, watcher: Mutex::new(None) }
    }
}

/// Does what a person wants, or says why not.
#[tauri::command]
pub async fn call(window: State<'_, Window>, command: Command) -> Result<Reply, Failure> {
    window.client.call(command).await
}

/// Attaches a file to a conversation's draft: its bytes are the request's body.
#[tauri::command]
pub async fn attach(window: State<'_, Window>, request: tauri::ipc::Request<'_>) -> Result<Reply, Failure> {
    window.client.attach(files::attachment(&request)?).await
}

/// Saves a conversation's file in the user's folder for downloads, on a person's word: nothing leaves the encrypted cache
/// otherwise.
#[tauri::command]
pub async fn save_file(app: AppHandle, window: State<'_, Window>, place: String) -> Result<Reply, Failure> {
    // Not every desktop names a folder for it.
    let folder = app.path().download_dir().or_else(|_| Ok(app.path().home_dir()?.join("Downloads")));
    let folder = folder.map_err(|_: tauri::Error| Failure::NotSaved)?;
    let content = window.client.content(place.parse()?).await?;
    Ok(Reply::Saved { name: files::save(&folder, &content)? })
}

/// Sets what the window watches. Its updates come through `channel`, which a page gives once, when it has loaded.
#[tauri::command]
pub fn watch(
    webview: Webview,
    window: State<'_, Window>,
    queries: Vec<Query>,
    channel: Option<JavaScriptChannelId>,
) {
    let mut watcher = window.watcher.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(channel) = channel {
        let channel = channel.channel_on(webview);
        let (fresh, mut updates) = window.client.watch();
        *watcher = Some(fresh);
        tauri::async_runtime::spawn(async move {
            while let Some(update) = updates.recv().await {
                if channel.send(update).is_err() {
                    break;
                }
            }
        });
    }
    if let Some(watcher) = watcher.as_ref() {
        watcher.set(queries);
    }
}

/// Opens a link in the system's browser, after a person has seen its whole address and confirmed it.
#[tauri::command]
pub fn open_link(url: &str) -> Result<(), link::Refused> {
    link::open(url)
}
