//! Domains of the releases that keep none that do not run: files of `/etc/xen`, as `xm` reads them.
//!
//! xend hears of such a domain only when it starts. What is in the file is read anew each time.

use super::XendLayer;
use super::domains::Described;
use crate::backend::xen::definitions::{Definition, Definitions};
use crate::backend::xen::native::xm;
use crate::backend::xen::sxp::Sxp;
use crate::error::Result;
use crate::model::DomainRef;
use uuid::Uuid;

impl Described {
    /// What a file says. Of one that holds more than can be read it is the name and no more: see
    /// [`Described::must_be_read`].
    fn of_file(definition: Definition) -> Described {
        let file = definition.path.display().to_string();
        let mut sxp = xm::to_sxp(&definition.config, &file).unwrap_or_else(|_| {
            let memory = definition.config.number("memory").unwrap_or(0);
            Sxp::list("vm", [Sxp::pair("name", &definition.name), Sxp::pair("memory", memory)])
        });
        sxp.set("uuid", definition.uuid);
        let reference = DomainRef { name: definition.name.clone(), uuid: definition.uuid, id: None };
        Described { sxp, reference, file: Some(definition) }
    }

    /// Refuses to take a file at its word where a statement that could not be read may say something else.
    pub fn must_be_read(&self) -> Result<()> {
        let Some(definition) = &self.file else { return Ok(()) };
        xm::to_sxp(&definition.config, &definition.path.display().to_string()).map(|_| ())
    }
}

impl XendLayer {
    /// The domains of files, but for those that run.
    pub(super) fn resting(&self, running: &[Described]) -> Vec<Described> {
        let Some(files) = &self.files else { return Vec::new() };
        let runs = |definition: &Definition| {
            let alone = std::slice::from_ref(definition);
            let mut running = running.iter().map(|known| &known.reference);
            running.any(|known| Definitions::of_running(alone, known.uuid, &known.name).is_some())
        };
        let resting = files.all().into_iter().filter(|definition| !runs(definition));
        resting.map(Described::of_file).collect()
    }

    /// The file that a domain, running or not, starts from.
    pub(super) fn file_of(&self, described: &Described) -> Option<(&Definitions, Definition)> {
        let files = self.files.as_ref()?;
        let known = &described.reference;
        let file = described.file.clone();
        Some((files, file.or_else(|| Definitions::of_running(&files.all(), known.uuid, &known.name))?))
    }

    /// What a domain that runs will be at its next start, if a file tells.
    pub(super) fn next_of_file(&self, described: &Described) -> Option<Described> {
        self.file_of(described).map(|(_, definition)| Described::of_file(definition))
    }

    /// Writes the file of a new domain, or that of one anew.
    pub(super) fn write_file(&self, files: &Definitions, config: &Sxp, uuid: Uuid) -> Result<DomainRef> {
        let written = files.write_config(xm::from_sxp(config), xm::keep_unknown)?;
        let id = self.by_uuid(uuid)?.and_then(|known| known.reference.id);
        Ok(DomainRef { name: written.name, uuid: written.uuid, id })
    }

    /// Gives a file what another configuration says.
    pub(super) fn rewrite_file(&self, definition: &Definition, changed: &Sxp) -> Result<()> {
        let Some(files) = &self.files else { return Err(super::not_running()) };
        let mut config = xm::from_sxp(changed);
        xm::keep_unknown(&definition.config, &mut config);
        files.rewrite(&Definition { config, ..definition.clone() })
    }
}
