//! Network filters and their bindings.

/// Hands the operations of [`Filters`](super::Filters) to the macro `$reader`.
macro_rules! filters_operations {
    ($reader:ident) => {
        $reader! {
            /// Network filters and their bindings.
            trait Filters in filters, on REMOTE_PROGRAM {
                /// Finds a filter by its name. (`virNWFilterLookupByName`)
                175 read virNWFilterLookupByName fn lookup_by_name(name: &str) -> FilterRef;
                /// Finds a filter by its uuid. (`virNWFilterLookupByUUID`)
                176 read virNWFilterLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> FilterRef;
                /// The filter as XML. (`virNWFilterGetXMLDesc`)
                177 read virNWFilterGetXMLDesc fn xml(filter: &FilterRef, flags: u32) -> String;
                /// Forgets a filter that nothing uses. (`virNWFilterUndefine`)
                181 write virNWFilterUndefine fn undefine(filter: &FilterRef) -> ();
                /// All filters. (`virConnectListAllNWFilters`)
                286 read virConnectListAllNWFilters fn list_all_filters() [1] (flags: u32) -> Counted<FilterRef>;
                /// Finds a binding by its network device. (`virNWFilterBindingLookupByPortDev`)
                397 read virNWFilterBindingLookupByPortDev fn filter_binding_lookup_by_port_dev(name: &str) -> FilterBindingRef;
                /// The binding as XML. (`virNWFilterBindingGetXMLDesc`)
                398 read virNWFilterBindingGetXMLDesc fn filter_binding_xml(filter: &FilterBindingRef, flags: u32) -> String;
                /// Binds a filter to a network device. (`virNWFilterBindingCreateXML`)
                399 write virNWFilterBindingCreateXML fn filter_binding_create_xml(xml: &str, flags: u32) -> FilterBindingRef;
                /// Takes a filter off a network device. (`virNWFilterBindingDelete`)
                400 write virNWFilterBindingDelete fn filter_binding_delete(filter: &FilterBindingRef) -> ();
                /// All bindings. (`virConnectListAllNWFilterBindings`)
                401 read virConnectListAllNWFilterBindings fn list_all_filter_bindings() [1] (flags: u32) -> Counted<FilterBindingRef>;
                /// Writes a filter's definition, new or in place of its old one. (`virNWFilterDefineXMLFlags`)
                431 write virNWFilterDefineXMLFlags fn define_xml(xml: &str, flags: u32) -> FilterRef;
            }
        }
    };
}
pub(crate) use filters_operations;
