//! Limits of a network interface as they are typed: `average[,peak[,burst[,floor]]]`.

use anyhow::{Result, bail};

/// The fields that were given.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Rate {
    pub average: Option<u64>,
    pub peak: Option<u64>,
    pub burst: Option<u64>,
    pub floor: Option<u64>,
}

const NAMES: [&str; 4] = ["average", "peak", "burst", "floor"];

impl Rate {
    /// Reads the fields; one may be left empty.
    pub(super) fn parse(text: &str) -> Result<Rate> {
        let fields: Vec<&str> = text.split(',').collect();
        if fields.len() > NAMES.len() {
            bail!("Rate string '{text}' has too many fields");
        }
        let mut values = [None; 4];
        for ((field, name), value) in fields.iter().zip(NAMES).zip(&mut values) {
            if field.is_empty() {
                continue;
            }
            match field.parse() {
                Ok(number) => *value = Some(number),
                Err(_) => bail!("field '{name}' is malformed"),
            }
        }
        let [average, peak, burst, floor] = values;
        Ok(Rate { average, peak, burst, floor })
    }

    /// Refuses what makes no sense for traffic into the guest; nothing but zeros may be meant to clear limits.
    pub(super) fn check_inbound(&self, zero_clears: bool) -> Result<()> {
        if !(given(self.average) || given(self.floor) || zero_clears && self.is_zero()) {
            bail!("either inbound average or floor is mandatory");
        }
        Ok(())
    }

    /// Refuses what makes no sense for traffic out of the guest.
    pub(super) fn check_outbound(&self, zero_clears: bool) -> Result<()> {
        if !(given(self.average) || given(self.floor) || zero_clears && self.is_zero()) {
            bail!("outbound average is mandatory");
        }
        if given(self.floor) {
            bail!("outbound floor is unsupported yet");
        }
        Ok(())
    }

    /// Whether nothing but zeros was given.
    pub(super) fn is_zero(&self) -> bool {
        self.fields().next().is_none()
    }

    /// The fields that are not zero, by their names.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let values = [self.average, self.peak, self.burst, self.floor];
        let named = NAMES.into_iter().zip(values);
        named.filter_map(|(name, value)| Some((name, value.filter(|&value| value != 0)?)))
    }
}

fn given(value: Option<u64>) -> bool {
    value.is_some_and(|value| value != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_left_out() {
        let rate = Rate::parse("1,,3").unwrap();
        assert_eq!(rate.fields().collect::<Vec<_>>(), [("average", 1), ("burst", 3)]);
        assert!(rate.check_inbound(false).is_ok());
        let told = |text| Rate::parse(text).unwrap_err().to_string();
        assert_eq!(told("1,x"), "field 'peak' is malformed");
        assert_eq!(told("1,2,3,4,5"), "Rate string '1,2,3,4,5' has too many fields");
    }

    #[test]
    fn an_average_is_needed() {
        let zero = Rate::parse("0").unwrap();
        assert!(zero.check_outbound(true).is_ok());
        assert!(zero.check_outbound(false).is_err());
        assert!(Rate::parse(",").unwrap().check_inbound(true).is_ok());
        assert!(Rate::parse(",5").unwrap().check_inbound(true).is_err());
        assert!(Rate::parse("0,5").unwrap().check_inbound(true).is_err());
    }
}
