//! What stands on a screen in memory, pixel by pixel: Xvfb keeps it in a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A part of the screen.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// Of its first pixel.
    pub x: u64,
    /// Of its first pixel.
    pub y: u64,
    /// In pixels.
    pub width: u64,
    /// In pixels.
    pub height: u64,
}

/// A screen to look at.
#[derive(Debug)]
pub struct Screen {
    file: File,
    /// Where the first pixel is.
    start: u64,
    line: u64,
}

/// The only depth that is used here.
const PIXEL_BYTES: u64 = 4;

impl Screen {
    /// The one that `Xvfb -fbdir FOLDER` shows: X11's window dump, a header of numbers with the highest byte first.
    pub fn open(folder: &Path) -> Self {
        let file = File::open(folder.join("Xvfb_screen0")).expect("Xvfb's screen");
        let number = |index: u64| {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, 4 * index).expect("a header");
            u64::from(u32::from_be_bytes(bytes))
        };
        assert_eq!((number(1), number(11)), (7, 8 * PIXEL_BYTES), "a dump of this kind");
        // Behind the header stand the colours, of 12 bytes each.
        let (start, line) = (number(0) + 12 * number(19), number(12));
        Self { file, start, line }
    }

    /// What stands in an area now.
    pub fn look(&self, area: Area) -> Vec<u8> {
        let width = (area.width * PIXEL_BYTES) as usize;
        let mut pixels = vec![0; width * area.height as usize];
        for (line, y) in pixels.chunks_mut(width).zip(area.y..) {
            let at = self.start + y * self.line + area.x * PIXEL_BYTES;
            self.file.read_exact_at(line, at).expect("the area is on the screen");
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_found_behind_header_and_colours() {
        let folder = tempfile::tempdir().unwrap();
        let mut header = [0_u32; 25];
        // Header's size, version, bits of a pixel, bytes of a line, colours.
        for (index, number) in [(0, 100), (1, 7), (11, 32), (12, 16), (19, 1)] {
            header[index] = number;
        }
        let mut dump: Vec<u8> = header.iter().flat_map(|number| number.to_be_bytes()).collect();
        dump.extend([0xff; 12]);
        dump.extend((0..12_u8).flat_map(|pixel| [pixel; 4]));
        std::fs::write(folder.path().join("Xvfb_screen0"), dump).unwrap();
        let seen = Screen::open(folder.path()).look(Area { x: 1, y: 1, width: 2, height: 2 });
        assert_eq!(seen, [[5; 4], [6; 4], [9; 4], [10; 4]].concat());
    }
}
