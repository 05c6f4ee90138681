//! `<sound>`: sound cards; `<audio>`: where their sound goes.

use super::address::ADDRESS;
use super::{ACPI, ALIAS, BOOT, VIRTIO_DRIVER};
use crate::error::Result;
use crate::xml::Element;
use crate::xml::shape::{Shape, many, one, one_of, positive, shape, text, unsigned, yes_no};

/// `<sound>`.
pub static SOUND: Shape = shape("sound")
    .attributes(&[
        one_of("model", &["sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7", "virtio"])
            .required(),
        yes_no("multichannel"),
        unsigned("streams"),
    ])
    .children(&[
        many(&CODEC),
        one(&AUDIO_OF_SOUND),
        one(&VIRTIO_DRIVER),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .before(|sound| {
        if sound.attribute("model") != Some("usb") {
            sound.unset("multichannel");
        }
        if sound.attribute("model") != Some("virtio") {
            sound.unset("streams");
        }
        Ok(())
    });
static CODEC: Shape = shape("codec").attributes(&[one_of("type", &["duplex", "micro", "output"]).required()]);
static AUDIO_OF_SOUND: Shape = shape("audio").attributes(&[positive("id").required()]);

/// `<audio>`.
pub static AUDIO: Shape = shape("audio")
    .attributes(&[
        positive("id").required(),
        one_of(
            "type",
            &[
                "none",
                "alsa",
                "coreaudio",
                "jack",
                "oss",
                "pulseaudio",
                "sdl",
                "spice",
                "file",
                "dbus",
                "pipewire",
            ],
        )
        .required(),
        unsigned("timerPeriod"),
        text("driver"),
        text("path"),
        text("serverName"),
        text("runtimeDir"),
        yes_no("tryMMap"),
        yes_no("exclusive"),
        text("dspPolicy"),
    ])
    .children(&[one(&INPUT), one(&OUTPUT)])
    .after(drop_empty_ends);
static INPUT: Shape = shape("input").attributes(END).children(&[one(&SETTINGS)]).unless_empty();
static OUTPUT: Shape = shape("output").attributes(END).children(&[one(&SETTINGS)]).unless_empty();
const END: &[crate::xml::shape::Attribute] = &[
    yes_no("mixingEngine"),
    yes_no("fixedSettings"),
    unsigned("voices"),
    unsigned("bufferLength"),
    text("dev"),
    unsigned("bufferCount"),
    yes_no("tryPoll"),
    text("name"),
    text("streamName"),
    unsigned("latency"),
    text("serverName"),
    text("clientName"),
    text("connectPorts"),
    yes_no("exactName"),
];
static SETTINGS: Shape = shape("settings").attributes(&[
    unsigned("frequency"),
    unsigned("channels"),
    one_of("format", &["s8", "u8", "s16", "u16", "s32", "u32", "f32"]),
]);

fn drop_empty_ends(audio: &mut Element) -> Result<()> {
    audio.retain(|child| !crate::xml::shape::is_empty(child));
    Ok(())
}
