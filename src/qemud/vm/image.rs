//! The image of a saved guest: our header, its XML, and the state as QEMU wrote it.
//!
//! ```text
//! 0       magic, version, flags, places and lengths, checksum of the XML; checksum of all this (96 bytes)
//! 4096    slot A for the XML       one is in use, the other takes the next edition, so that an edit that
//! …       slot B for the XML       is cut short leaves the old one
//! …       QEMU's state: a migration stream, or a mapped-ram file of its own layout
//! ```
//!
//! Numbers are little-endian. The header is written last: an image without one is not an image.

use crate::error::{Error, ErrorOrigin, Result};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const MAGIC: &[u8; 16] = b"hvsh saved guest";
const VERSION: u32 = 1;
const HEADER: usize = 96;
const BLOCK: u64 = 4096;
/// Where QEMU's state begins is a multiple of this, for direct I/O.
const ALIGNMENT: u64 = 64 * 1024;
/// The longest XML an image may claim to hold.
const XML_MAX: u64 = 16 * 1024 * 1024;

const FLAG_RUNNING: u32 = 1;
const FLAG_MAPPED: u32 = 2;

/// What stands in an image's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Whether the guest ran and is to run again.
    pub running: bool,
    /// Whether the state is a mapped-ram file rather than a stream.
    pub mapped: bool,
    /// How long a slot is.
    slot: u64,
    /// Whether slot B is in use.
    second: bool,
    xml_length: u64,
    xml_checksum: u32,
    /// Where QEMU's state begins.
    pub state_offset: u64,
    /// Where the file ends.
    end: u64,
}

/// An image that was found whole.
pub struct Image {
    /// Its header.
    pub header: Header,
    /// The definition the guest is restored as.
    pub xml: String,
    file: File,
}

fn bad(detail: impl std::fmt::Display) -> Error {
    Error::operation_failed(detail).from_origin(ErrorOrigin::QEMU)
}

/// CRC-32 (IEEE), bit by bit: the data is short.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn round_up(length: u64, unit: u64) -> u64 {
    length.div_ceil(unit) * unit
}

impl Header {
    /// The header of an image to be written for this XML.
    pub fn plan(xml: &str, running: bool, mapped: bool) -> Header {
        // Room to edit: twice the XML and a little.
        let slot = round_up(xml.len() as u64 * 2 + BLOCK, BLOCK);
        Header {
            running,
            mapped,
            slot,
            second: false,
            xml_length: xml.len() as u64,
            xml_checksum: checksum(xml.as_bytes()),
            state_offset: round_up(BLOCK + 2 * slot, ALIGNMENT),
            end: 0,
        }
    }

    fn xml_offset(&self) -> u64 {
        BLOCK + if self.second { self.slot } else { 0 }
    }

    fn encode(&self) -> Vec<u8> {
        let flags = u32::from(self.running) * FLAG_RUNNING + u32::from(self.mapped) * FLAG_MAPPED;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        for number in [self.slot, u64::from(self.second), self.xml_length, self.state_offset, self.end] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.xml_checksum.to_le_bytes());
        bytes.resize(HEADER - 4, 0);
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER]) -> Result<Header> {
        if !bytes.starts_with(MAGIC) {
            return Err(bad("image magic is incorrect"));
        }
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if word(HEADER - 4) != checksum(&bytes[..HEADER - 4]) {
            return Err(bad("the header of the image is damaged: its checksum is wrong"));
        }
        let version = word(16);
        if version != VERSION {
            return Err(bad(format!("image version is not supported ({version} > {VERSION})")));
        }
        let header = Header {
            running: word(20) & FLAG_RUNNING != 0,
            mapped: word(20) & FLAG_MAPPED != 0,
            slot: long(24),
            second: long(32) != 0,
            xml_length: long(40),
            state_offset: long(48),
            end: long(56),
            xml_checksum: word(64),
        };
        let fits = header.xml_length <= header.slot.min(XML_MAX)
            && header.slot <= XML_MAX * 4
            && BLOCK + 2 * header.slot <= header.state_offset
            && header.state_offset <= header.end;
        fits.then_some(header).ok_or_else(|| bad("the header of the image contradicts itself"))
    }
}

/// Begins an image: room for the header and the XML in its place. The header comes with [`complete`].
pub fn begin(file: &File, header: &Header, xml: &str) -> io::Result<()> {
    file.set_len(header.state_offset)?;
    file.write_all_at(xml.as_bytes(), header.xml_offset())
}

/// Completes an image after QEMU has written the state: header, then everything to the disk.
pub fn complete(file: &File, mut header: Header) -> io::Result<()> {
    header.end = file.metadata()?.len();
    file.write_all_at(&header.encode(), 0)?;
    file.sync_all()
}

/// No driver writes a header shorter than this.
const SHORTEST: u64 = 92;

impl Image {
    /// Opens an image and checks that it is one, whole and undamaged.
    pub fn open(path: &Path, for_change: bool) -> Result<Image> {
        let opened =
            OpenOptions::new().read(true).write(for_change).custom_flags(nix::libc::O_NONBLOCK).open(path);
        let file =
            opened.map_err(|e| Error::system(format!("Failed to open file '{}'", path.display()), &e))?;
        let mut bytes = [0u8; HEADER];
        let read = file.read_exact_at(&mut bytes, 0);
        if let Err(error) = read {
            let short = error.kind() == io::ErrorKind::UnexpectedEof;
            let tiny = file.metadata().is_ok_and(|facts| facts.len() < SHORTEST);
            return Err(if short && tiny {
                bad("failed to read qemu header")
            } else if short {
                bad("image magic is incorrect")
            } else {
                Error::system(format!("failed to read qemu header of '{}'", path.display()), &error)
            });
        }
        let header = Header::decode(&bytes)?;
        let cannot_read = |e: io::Error| Error::system(format!("cannot read file '{}'", path.display()), &e);
        let length = file.metadata().map_err(cannot_read)?.len();
        if length < header.end {
            let path = path.display();
            let detail = format!("image '{path}' is truncated: it has {length} bytes of {}", header.end);
            return Err(bad(detail));
        }
        let mut xml = vec![0u8; usize::try_from(header.xml_length).unwrap_or(0)];
        let read = file.read_exact_at(&mut xml, header.xml_offset());
        read.map_err(|e| Error::system(format!("cannot read file '{}'", path.display()), &e))?;
        if checksum(&xml) != header.xml_checksum {
            return Err(bad("the XML in the image is damaged: its checksum is wrong"));
        }
        let xml = String::from_utf8(xml).map_err(|_| bad("the XML in the image is no text"))?;
        Ok(Image { header, xml, file })
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Replaces the XML, and whether the guest is to run.
    pub fn edit(&mut self, xml: &str, running: bool) -> Result<()> {
        if xml.len() as u64 > self.header.slot {
            return Err(bad("new xml too large to fit in file"));
        }
        let mut header = self.header;
        header.running = running;
        if xml != self.xml {
            header.second = !header.second;
            header.xml_length = xml.len() as u64;
            header.xml_checksum = checksum(xml.as_bytes());
        }
        let write = || {
            if xml != self.xml {
                self.file.write_all_at(xml.as_bytes(), header.xml_offset())?;
                self.file.sync_data()?;
            }
            self.file.write_all_at(&header.encode(), 0)?;
            self.file.sync_all()
        };
        write().map_err(|e| Error::system("failed to write xml to the image", &e))?;
        self.header = header;
        self.xml = xml.to_string();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    fn image(folder: &Path) -> PathBuf {
        let path = folder.join("image");
        let file = File::create(&path).unwrap();
        let xml = "<domain>é</domain>";
        let header = Header::plan(xml, true, false);
        begin(&file, &header, xml).unwrap();
        file.write_all_at(b"state", header.state_offset).unwrap();
        complete(&file, header).unwrap();
        path
    }

    #[test]
    fn an_image_carries_its_xml_through_edits() {
        let folder = tempfile::tempdir().unwrap();
        let path = image(folder.path());
        let mut opened = Image::open(&path, true).unwrap();
        assert!(opened.header.running && opened.xml == "<domain>é</domain>");
        opened.edit("<domain>two</domain>", false).unwrap();
        opened.edit("<domain>three</domain>", false).unwrap();
        assert!(opened.edit(&"x".repeat(100_000), false).is_err());
        let again = Image::open(&path, false).unwrap();
        assert_eq!((again.xml.as_str(), again.header.running), ("<domain>three</domain>", false));
        let mut state = [0u8; 5];
        again.file().read_exact_at(&mut state, again.header.state_offset).unwrap();
        assert_eq!(&state, b"state");
    }

    #[test]
    fn foreign_truncated_and_damaged_images_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = image(folder.path());
        let fails = |path: &Path| Image::open(path, false).err().unwrap().message;
        assert_eq!(fails(Path::new("/etc/passwd")), "operation failed: image magic is incorrect");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(fails(&path).contains("is truncated"));
        let mut damaged = whole.clone();
        damaged[30] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(fails(&path).contains("checksum"));
        let mut damaged = whole;
        damaged[4097] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(fails(&path).contains("XML in the image is damaged"));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), HEADER..=HEADER)) {
            bytes[..16].copy_from_slice(MAGIC);
            bytes[16..20].copy_from_slice(&VERSION.to_le_bytes());
            let sum = checksum(&bytes[..HEADER - 4]);
            bytes[HEADER - 4..].copy_from_slice(&sum.to_le_bytes());
            let _ = Header::decode(bytes.as_slice().try_into().unwrap());
        }
    }
}
