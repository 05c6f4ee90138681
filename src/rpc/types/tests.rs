//! Wire forms of the model: written and read back.

use super::*;
use crate::rpc::xdr::{from_bytes, to_bytes};
use proptest::prelude::*;

#[test]
fn an_inactive_domain_has_the_id_minus_one() {
    let domain = DomainRef { name: "d".to_string(), uuid: Uuid::nil(), id: None };
    let bytes = to_bytes(&domain);
    assert!(bytes.ends_with(&[0xff; 4]));
    assert_eq!(from_bytes::<DomainRef>(&bytes).unwrap(), domain);
}

#[test]
fn a_listing_gives_what_was_asked_for_and_always_the_count() {
    let all = vec![7u32, 8, 9];
    let only_count = Counted::new(all.clone(), 0);
    assert_eq!((only_count.count(), only_count.value()), (Some(3), vec![]));
    let whole: Counted<u32> = from_bytes(&to_bytes(&Counted::new(all.clone(), 1))).unwrap();
    assert_eq!(whole.value(), all);
}

#[test]
fn errors_keep_code_origin_and_words() {
    let error = Error::new(ErrorCode::NO_DOMAIN, "x").from_origin(ErrorOrigin::QEMU);
    let wire: WireError = from_bytes(&to_bytes(&WireError::from(&error))).unwrap();
    let back = Error::from(wire);
    assert_eq!((back.code, back.origin, back.message), (error.code, error.origin, error.message));
}

fn value() -> impl Strategy<Value = ParamValue> {
    prop_oneof![
        any::<i32>().prop_map(ParamValue::Int),
        any::<u32>().prop_map(ParamValue::UInt),
        any::<i64>().prop_map(ParamValue::LLong),
        any::<u64>().prop_map(ParamValue::ULLong),
        (-1e9f64..1e9).prop_map(ParamValue::Double),
        any::<bool>().prop_map(ParamValue::Boolean),
        ".{0,20}".prop_map(ParamValue::String),
    ]
}

proptest! {
    #[test]
    fn parameters_read_back(name in ".{0,20}", value in value()) {
        let param = TypedParam { name, value };
        prop_assert_eq!(from_bytes::<TypedParam>(&to_bytes(&param)).unwrap(), param);
    }

    #[test]
    fn node_info_reads_back(model in "[a-z0-9_]{0,31}", memory: u64, cpus: i32) {
        let info = NodeInfo { model, memory, cpus, ..NodeInfo::default() };
        prop_assert_eq!(from_bytes::<NodeInfo>(&to_bytes(&info)).unwrap(), info);
    }

    #[test]
    fn noise_never_panics(bytes: Vec<u8>) {
        let _ = from_bytes::<WireError>(&bytes);
        let _ = from_bytes::<Vec<DomainStatsRecord>>(&bytes);
        let _ = from_bytes::<(Vec<VcpuInfo>, Vec<u8>)>(&bytes);
        let _ = from_bytes::<Vec<GuestInterface>>(&bytes);
    }
}
