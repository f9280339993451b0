//! The window among the others: what the core is told of it, and what it does by the settings.

use bedside_client::Client;
use tauri::{WebviewWindow, WindowEvent};

/// Follows the settings, and tells the core whether somebody looks.
pub(crate) fn follow(window: &WebviewWindow, client: &Client) {
    protect(window.clone(), client);
    client.attended(window.is_focused().unwrap_or_default());
    let attending = client.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::Focused(focused) = event {
            attending.attended(*focused);
        }
    });
    #[cfg(target_os = "linux")]
    notify(window.clone(), client);
}

/// Keeps the window out of screenshots, recordings and shared screens, where the system can.
fn protect(window: WebviewWindow, client: &Client) {
    let mut shown = client.shown();
    tauri::async_runtime::spawn(async move {
        loop {
            let protected = shown.borrow_and_update().content_protection;
            if let Err(error) = window.set_content_protected(protected) {
                tracing::warn!(%error, protected, "the window's protection can't be set");
            }
            if shown.changed().await.is_err() {
                break;
            }
        }
    });
}

#[cfg(target_os = "linux")]
fn notify(window: WebviewWindow, client: &Client) {
    let following = crate::notices::Following { news: client.news(), shown: client.shown() };
    tauri::async_runtime::spawn(crate::notices::run(following, None, move |token| raise(&window, token)));
}

/// Brings the window up. Wayland wants the desktop's leave for it.
#[cfg(target_os = "linux")]
fn raise(window: &WebviewWindow, token: Option<String>) {
    use gtk::prelude::GtkWindowExt;
    let raised = window.clone();
    let outcome = window.run_on_main_thread(move || {
        if let (Some(token), Ok(window)) = (token, raised.gtk_window()) {
            window.set_startup_id(&token);
        }
        let outcome = raised.unminimize().and_then(|()| raised.show()).and_then(|()| raised.set_focus());
        if let Err(error) = outcome {
            tracing::warn!(%error, "the window can't be raised");
        }
    });
    if let Err(error) = outcome {
        tracing::warn!(%error, "the window can't be raised");
    }
}
