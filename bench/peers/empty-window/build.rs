//! Makes the context of the Tauri application.

fn main() {
    tauri_build::build();
}
