//! Tests of the syntax.

use super::*;
use proptest::prelude::*;

fn text(config: &Config, name: &str) -> String {
    config.text(name).unwrap_or_else(|| panic!("no {name} in {config:?}"))
}

#[test]
fn strings_numbers_and_lists_are_read() {
    let config = Config::parse(
        "# a comment\nname = \"pv1\"   # behind\nmemory=256; vcpus = 0x2\n  extra = 'it\\'s \"so\" \\\\ \\q'\n\
         disk = [ 'phy:/dev/vg/lv,xvda,w', # first\n   \"file:/a b,xvdb,r\",\n]\nvif = [ '' ]\nnone = []\n\
         long = 'a' \\\n 'b'\nlocaltime = True\nrtc = -3600\r\nnested = [['a', 1], []]",
    );
    assert_eq!(config.unread(), []);
    assert_eq!(text(&config, "name"), "pv1");
    assert_eq!(config.number("memory"), Some(256));
    assert_eq!(config.number("vcpus"), Some(2));
    assert_eq!(text(&config, "extra"), "it's \"so\" \\ \\q");
    assert_eq!(config.list("disk"), ["phy:/dev/vg/lv,xvda,w", "file:/a b,xvdb,r"]);
    assert_eq!(config.list("vif"), [""]);
    assert_eq!(config.get("none"), Some(&Value::List(Vec::new())));
    assert_eq!(text(&config, "long"), "ab");
    assert_eq!(config.number("localtime"), Some(1));
    assert_eq!(config.number("rtc"), Some(-3600));
    assert_eq!(
        config.get("nested"),
        Some(&Value::List(vec![Value::List(vec!["a".into(), 1.into()]), Value::List(Vec::new())]))
    );
}

#[test]
fn the_last_value_of_a_key_counts() {
    let config =
        Config::parse("a = 1\nb = 'x'\na = 2\nb += 'y'\nl = ['1']\nl += ['2']\ngone = 1\ngone = None\n");
    assert_eq!(config.number("a"), Some(2));
    assert_eq!(text(&config, "b"), "xy");
    assert_eq!(config.list("l"), ["1", "2"]);
    assert_eq!(config.get("gone"), None);
}

#[test]
fn what_is_no_plain_value_is_set_aside_with_its_line_and_names() {
    let program = "import os, re\narch = os.uname()[4]\nif re.search('64', arch):\n    lib = 'lib64'\n\n\
                   \tkernel = \"/a\"\nelse:\n    lib = 'lib'\nname = 'after' # it goes on\nmemory = 2 * 128\n\
                   device_model = '/usr/' + lib + '/xen'\ndisk = [ 'a' % (1,\n  'name = x') ]\nvcpus = 1\n";
    let config = Config::parse(program);
    assert_eq!(text(&config, "name"), "after");
    assert_eq!(config.number("vcpus"), Some(1));
    let found: Vec<(usize, Vec<&str>)> = config
        .unread()
        .iter()
        .map(|unread| (unread.line, unread.names.iter().map(String::as_str).collect()))
        .collect();
    let expected: &[(usize, &[&str])] = &[
        (1, &[]),
        (2, &["arch"]),
        (3, &["lib", "kernel"]),
        (7, &["lib"]),
        (10, &["memory"]),
        (11, &["device_model"]),
        (12, &["disk", "name"]),
    ];
    let expected: Vec<(usize, Vec<&str>)> = expected.iter().map(|(n, names)| (*n, names.to_vec())).collect();
    assert_eq!(found, expected);
    assert!(config.require_read("/etc/xen/x", |name| name == "vcpus").is_ok());
    let error = config.require_read("/etc/xen/x", |name| name == "kernel").unwrap_err();
    assert!(error.to_string().contains("/etc/xen/x:3: cannot read 'if re.search"), "{error}");
}

#[test]
fn broken_text_is_set_aside_too() {
    for broken in
        ["a = 'open\nb = 1", "a = [ 'x' 'y'\n 1 ]\nb = 1", "a = 1 2\nb = 1", "a == 1\nb = 1", "a =\nb = 1"]
    {
        let config = Config::parse(broken);
        assert_eq!(config.number("b"), Some(1), "{broken}");
        assert_eq!(config.unread().len(), 1, "{broken}");
        let names: &[&str] = if broken.contains("==") { &[] } else { &["a"] };
        assert_eq!(config.unread()[0].names, names);
    }
    assert_eq!(Config::parse("a = [").unread().len(), 1);
    assert_eq!(Config::parse(&format!("a = {}1{}", "[".repeat(50), "]".repeat(50))).unread().len(), 1);
    assert_eq!(Config::parse("x = \\é").unread().len(), 1);
}

#[test]
fn what_is_written_is_read_again() {
    let mut config = Config::default();
    config.set("name", "a\"b\\c\n\td'é");
    config.set("memory", 64);
    config.set("disk", vec!["phy:/x,xvda,w".to_string(), String::new()]);
    config.set("none", Vec::<String>::new());
    assert_eq!(
        config.to_string(),
        "name = \"a\\\"b\\\\c\\n\\td'é\"\nmemory = 64\ndisk = [ \"phy:/x,xvda,w\", \"\" ]\nnone = [ ]\n"
    );
    let again = Config::parse(&config.to_string());
    assert_eq!(again.unread(), []);
    for entry in config.entries() {
        assert_eq!(again.get(&entry.name), Some(&entry.value));
    }
}

proptest! {
    #[test]
    fn no_text_is_a_danger(text in "[a-c =+'\"\\\\\\[\\](){}:;,#\n\té0-9]{0,80}") {
        let config = Config::parse(&text);
        for unread in config.unread() {
            prop_assert!(unread.line <= text.matches('\n').count() + 1);
        }
    }

    #[test]
    fn any_string_survives(text in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]{0,40}") {
        let mut config = Config::default();
        config.set("key", text.clone());
        prop_assert_eq!(Config::parse(&config.to_string()).text("key"), Some(text));
    }
}
