//! Images of saved guests: any file is an image or is refused, its checksums right or not.
#![no_main]

use hvsh::qemud::vm::image::Image;

/// CRC-32 (IEEE), so that a header of any content gets past its own checksum.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

libfuzzer_sys::fuzz_target!(|input: (bool, Vec<u8>)| {
    let (sealed, mut bytes) = input;
    if sealed {
        bytes.resize(bytes.len().max(96), 0);
        bytes[..16].copy_from_slice(b"hvsh saved guest");
        bytes[16..20].copy_from_slice(&1u32.to_le_bytes());
        let sum = checksum(&bytes[..92]);
        bytes[92..96].copy_from_slice(&sum.to_le_bytes());
    }
    let path = std::env::temp_dir().join(format!("hvsh-fuzz-image-{}", std::process::id()));
    std::fs::write(&path, &bytes).expect("a file");
    if let Ok(image) = Image::open(&path, false) {
        assert!(image.header.state_offset <= bytes.len() as u64);
    }
});
