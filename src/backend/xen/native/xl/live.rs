//! What `xl list -l` says of a running domain, brought into the form of a configuration.

use crate::backend::xen::native::config::Config;
use serde_json::Value;

/// The configuration of one element of the listing.
pub fn config(domain: &Value) -> Config {
    let (info, build) = (&domain["config"]["c_info"], &domain["config"]["b_info"]);
    let mut config = Config::default();
    set_text(&mut config, "name", &info["name"]);
    set_text(&mut config, "uuid", &info["uuid"]);
    set_text(&mut config, "type", &info["type"]);
    set_mebibytes(&mut config, "maxmem", &build["max_memkb"]);
    set_mebibytes(&mut config, "memory", &build["target_memkb"]);
    let maximum = build["max_vcpus"].as_i64().unwrap_or(1);
    config.set("maxvcpus", maximum);
    if let Some(available) = build["avail_vcpus"].as_array() {
        // An empty list stands for all of them.
        config.set("vcpus", if available.is_empty() { maximum } else { available.len() as i64 });
    } else {
        config.set("vcpus", maximum);
    }
    set_boot(&mut config, info, build);
    set_machine(&mut config, info, build);
    set_devices(&mut config, &domain["config"]);
    for key in ["on_poweroff", "on_reboot", "on_crash"] {
        let action = domain["config"][key].as_str().unwrap_or("destroy");
        config.set(key, action.replace('_', "-"));
    }
    config
}

/// The settings of the domain's own kind, which newer releases name after the kind.
fn own<'a>(build: &'a Value, kind: &str) -> &'a Value {
    &build[format!("type.{kind}").as_str()]
}

fn set_text(config: &mut Config, key: &str, value: &Value) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        config.set(key, text);
    }
}

fn set_number(config: &mut Config, key: &str, value: &Value) {
    match value {
        Value::Bool(on) => config.set(key, i64::from(*on)),
        // Booleans with a third state are written as words.
        Value::String(word) if word == "True" => config.set(key, 1),
        Value::String(word) if word == "False" => config.set(key, 0),
        other => {
            if let Some(number) = other.as_i64() {
                config.set(key, number);
            }
        }
    }
}

fn set_mebibytes(config: &mut Config, key: &str, value: &Value) {
    if let Some(kib) = value.as_u64() {
        config.set(key, i64::try_from(kib.div_ceil(1024)).unwrap_or(i64::MAX));
    }
}

fn set_boot(config: &mut Config, info: &Value, build: &Value) {
    let kind = info["type"].as_str().unwrap_or_default();
    let own = own(build, kind);
    for (key, name) in
        [("kernel", "kernel"), ("ramdisk", "ramdisk"), ("cmdline", "cmdline"), ("bootloader", "bootloader")]
    {
        // They moved out of the kind's own settings in 4.5.
        set_text(config, key, &build[name]);
        set_text(config, key, &own[name]);
    }
    let arguments: Vec<String> = [&build["bootloader_args"], &own["bootloader_args"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|argument| argument.as_str().map(str::to_string))
        .collect();
    if !arguments.is_empty() {
        config.set("bootloader_args", arguments.join(" "));
    }
    set_text(config, "boot", &own["boot"]);
    set_text(config, "firmware_override", &own["firmware"]);
    if own["bios"].as_str() == Some("ovmf") {
        config.set("bios", "ovmf");
    }
}

fn set_machine(config: &mut Config, info: &Value, build: &Value) {
    let kind = info["type"].as_str().unwrap_or_default();
    let own = own(build, kind);
    for key in ["pae", "apic", "acpi", "viridian", "hpet"] {
        set_number(config, key, &own[key]);
    }
    set_number(config, "acpi", &build["acpi"]);
    set_number(config, "apic", &build["apic"]);
    set_number(config, "hap", &info["hap"]);
    set_number(config, "localtime", &build["localtime"]);
    set_number(config, "rtc_timeoffset", &build["rtc_timeoffset"]);
    set_number(config, "e820_host", &own["e820_host"]);
    set_text(config, "device_model_override", &build["device_model"]);
    set_text(config, "keymap", &own["keymap"]);
    if let Some(mode) = build["tsc_mode"].as_str().filter(|mode| *mode != "default") {
        config.set("tsc_mode", mode);
    }
    if let Some(kib) = build["video_memkb"].as_i64().filter(|kib| *kib > 0) {
        config.set("videoram", kib / 1024);
    }
    set_text(config, "soundhw", &own["soundhw"]);
    if kind != "hvm" {
        return;
    }
    let vga = match own["vga"]["kind"].as_str() {
        Some("std") => "stdvga",
        Some("qxl") => "qxl",
        Some("none") => "none",
        _ => "cirrus",
    };
    config.set("vga", vga);
    set_number(config, "vnc", &own["vnc"]["enable"]);
    for (key, name) in [("vnclisten", "listen"), ("vncpasswd", "passwd")] {
        set_text(config, key, &own["vnc"][name]);
    }
    set_number(config, "vncdisplay", &own["vnc"]["display"]);
    set_number(config, "vncunused", &own["vnc"]["findunused"]);
    set_number(config, "sdl", &own["sdl"]["enable"]);
    set_number(config, "spice", &own["spice"]["enable"]);
    set_number(config, "spiceport", &own["spice"]["port"]);
    set_number(config, "spicetls_port", &own["spice"]["tls_port"]);
    set_text(config, "spicehost", &own["spice"]["host"]);
    set_ports(config, own);
}

fn set_ports(config: &mut Config, own: &Value) {
    set_text(config, "serial", &own["serial"]);
    for (key, name) in [("serial", "serial_list"), ("usbdevice", "usbdevice_list")] {
        let values: Vec<String> = own[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_string))
            .collect();
        if !values.is_empty() {
            config.set(key, values);
        }
    }
    set_text(config, "usbdevice", &own["usbdevice"]);
}

fn set_devices(config: &mut Config, whole: &Value) {
    let list = |name: &str| whole[name].as_array().cloned().unwrap_or_default();
    let disks: Vec<String> = list("disks").iter().map(disk).collect();
    let cards: Vec<String> = list("nics").iter().map(card).collect();
    let screens: Vec<String> = list("vfbs").iter().map(screen).collect();
    for (key, specifications) in [("disk", disks), ("vif", cards), ("vfb", screens)] {
        if !specifications.is_empty() {
            config.set(key, specifications);
        }
    }
    let places: Vec<String> = list("pcidevs")
        .iter()
        .map(|place| {
            let part = |name: &str| place[name].as_u64().unwrap_or(0);
            format!("{:04x}:{:02x}:{:02x}.{:x}", part("domain"), part("bus"), part("dev"), part("func"))
        })
        .collect();
    if !places.is_empty() {
        config.set("pci", places);
    }
}

fn disk(disk: &Value) -> String {
    let text = |name: &str| disk[name].as_str().unwrap_or_default();
    let is_cdrom = disk["is_cdrom"].as_i64() == Some(1) || disk["is_cdrom"].as_bool() == Some(true);
    let is_writable = disk["readwrite"].as_i64() == Some(1) || disk["readwrite"].as_bool() == Some(true);
    let mut parts = vec![format!("vdev={}", text("vdev"))];
    parts.push(format!("access={}", if is_writable { "rw" } else { "ro" }));
    match text("format") {
        "" | "unknown" | "empty" => {}
        format => parts.push(format!("format={format}")),
    }
    match text("backend") {
        "" | "unknown" => {}
        backend => parts.push(format!("backendtype={backend}")),
    }
    if is_cdrom {
        parts.push("devtype=cdrom".to_string());
    }
    if let Some(backend) = disk["backend_domname"].as_str().filter(|name| !name.is_empty()) {
        parts.push(format!("backend={backend}"));
    }
    if !text("script").is_empty() {
        parts.push(format!("script={}", text("script")));
    }
    parts.push(format!("target={}", text("pdev_path")));
    parts.join(",")
}

fn card(card: &Value) -> String {
    let names = [
        ("mac", "mac"),
        ("bridge", "bridge"),
        ("ip", "ip"),
        ("model", "model"),
        ("vifname", "ifname"),
        ("backend", "backend_domname"),
        ("mtu", "mtu"),
    ];
    let mut parts = Vec::new();
    for (key, name) in names {
        let value = match &card[name] {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        parts.push(format!("{key}={value}"));
    }
    // The script it would take anyway is not worth a word.
    if let Some(script) =
        card["script"].as_str().filter(|script| !script.ends_with("/vif-bridge") && *script != "vif-bridge")
    {
        parts.push(format!("script={script}"));
    }
    if card["nictype"].as_str() == Some("vif") {
        parts.push("type=vif".to_string());
    }
    let bytes = card["rate_bytes_per_interval"].as_u64().unwrap_or(0);
    let interval = card["rate_interval_usecs"].as_u64().unwrap_or(0);
    if let Some(rate) =
        bytes.checked_mul(1_000_000).and_then(|bytes| bytes.checked_div(interval)).filter(|rate| *rate > 0)
    {
        parts.push(format!("rate={rate}B/s"));
    }
    parts.join(",")
}

fn screen(screen: &Value) -> String {
    let mut parts = Vec::new();
    let is_on = |value: &Value| value.as_str() == Some("True") || value.as_bool() == Some(true);
    if is_on(&screen["sdl"]["enable"]) {
        parts.push("sdl=1".to_string());
    } else {
        parts.push("vnc=1".to_string());
        let vnc = &screen["vnc"];
        if let Some(listen) = vnc["listen"].as_str() {
            parts.push(format!("vnclisten={listen}"));
        }
        match vnc["display"].as_u64() {
            Some(display) if !is_on(&vnc["findunused"]) => {
                parts.push(format!("vncdisplay={display},vncunused=0"));
            }
            _ => parts.push("vncunused=1".to_string()),
        }
        if let Some(password) = vnc["passwd"].as_str().filter(|password| !password.is_empty()) {
            parts.push(format!("vncpasswd={password}"));
        }
    }
    if let Some(keymap) = screen["keymap"].as_str() {
        parts.push(format!("keymap={keymap}"));
    }
    parts.join(",")
}
