//! How a field differs from the ordinary one of its type: the second half of [`super::build`]'s
//! vocabulary.

use super::Field;

impl Field {
    /// It must have a value.
    pub(crate) fn required(mut self) -> Self {
        self.nillable = false;
        self
    }

    /// Nobody gives it a value.
    pub(crate) fn read_only(mut self) -> Self {
        self.createable = false;
        self.updateable = false;
        self
    }

    /// It can be given to a new record and never changed.
    pub(crate) fn create_only(mut self) -> Self {
        self.updateable = false;
        self
    }

    /// It can be changed and not be given to a new record.
    pub(crate) fn update_only(mut self) -> Self {
        self.createable = false;
        self
    }

    /// Everybody who sees the object sees it: access to it is not granted apart.
    pub(crate) fn standard(mut self) -> Self {
        self.permissionable = false;
        self
    }

    /// [`Field::read_only`] and [`Field::standard`].
    pub(crate) fn system(self) -> Self {
        self.read_only().standard()
    }

    /// The org fills it in when a new record does not.
    pub(crate) fn defaulted(mut self) -> Self {
        self.defaulted_on_create = true;
        self
    }

    /// A picklist takes only its own values.
    pub(crate) fn restricted(mut self) -> Self {
        self.restricted_picklist = true;
        self
    }

    /// Its values depend on another picklist's: each goes with those at the given places, in the
    /// order of its values.
    pub(crate) fn controlled_by(mut self, controller: &str, valid_for: &[&[usize]]) -> Self {
        self.controller = Some(controller.into());
        for (value, places) in self.picklist_values.iter_mut().zip(valid_for) {
            value.valid_for = places.to_vec();
        }
        self
    }

    /// It is the record's name.
    pub(crate) fn name(mut self) -> Self {
        self.name_field = true;
        self
    }

    /// An upsert finds records by it.
    pub(crate) fn lookup(mut self) -> Self {
        self.id_lookup = true;
        self
    }

    /// It is an external id whose values are unique.
    pub(crate) fn external(mut self) -> Self {
        self.external_id = true;
        self.id_lookup = true;
        self.unique = true;
        self
    }

    /// It is a part of a compound field.
    pub(crate) fn part_of(mut self, compound: &str) -> Self {
        self.compound_field_name = Some(compound.into());
        self
    }

    /// Says what kind of text it is.
    pub(crate) fn info(mut self, info: &str) -> Self {
        self.extra_type_info = Some(info.into());
        self
    }

    /// Names the parent in a path; an empty name is none.
    pub(crate) fn parent(mut self, relationship: &str) -> Self {
        self.relationship_name = (!relationship.is_empty()).then(|| relationship.into());
        self
    }

    /// It is a formula.
    pub(crate) fn formula(mut self, formula: &str) -> Self {
        self.calculated = true;
        self.formula = Some(formula.into());
        self.read_only()
    }

    /// Changes whether `WHERE`, `GROUP BY`, `ORDER BY` and aggregates take it.
    pub(crate) fn queryable(
        mut self,
        filterable: bool,
        groupable: bool,
        sortable: bool,
        aggregatable: bool,
    ) -> Self {
        self.filterable = filterable;
        self.groupable = groupable;
        self.sortable = sortable;
        self.aggregatable = aggregatable;
        self
    }

    /// The org numbers its values.
    pub(crate) fn numbered(mut self) -> Self {
        self.auto_number = true;
        self.defaulted_on_create = true;
        self.system().required()
    }

    /// Writes down what the administrator says of it.
    pub(crate) fn help(mut self, text: &str) -> Self {
        self.inline_help_text = Some(text.into());
        self
    }
}
