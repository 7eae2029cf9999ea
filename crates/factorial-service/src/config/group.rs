//! Groups of settings, and the one table that flags, variables, file keys, `--help` and docs are made from.
//!
//! `config_group!` turns a struct with doc comments into a type and its table; `config_role!` gathers groups for a binary.
//! Invariant: a setting is declared once; its doc comment is its `--help` text and its row in the docs.

use super::reader::Reader;

/// One setting.
#[derive(Debug)]
pub struct Field {
    /// Name within its section of the file, and in the struct.
    pub key: &'static str,
    /// Name that is unique among all settings; the flag is `--name` with dashes, the file key in the root section is this.
    pub name: &'static str,
    /// Environment variable, where it is not `FACTORIAL_<NAME>`.
    pub variable: Option<&'static str>,
    /// The doc comment, line by line.
    pub help: &'static [&'static str],
    /// What to write: `NUMBER`, `SECONDS`, ….
    pub kind: &'static str,
    /// Default as one would write it.
    pub default: Option<&'static str>,
    /// Least and greatest value, in the unit of the setting.
    pub range: Option<(f64, f64)>,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// Whether it takes several values.
    pub list: bool,
    /// Whether the flag may stand alone.
    pub switch: bool,
}

impl Field {
    /// The flag, with its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        self.variable.map_or_else(
            || format!("FACTORIAL_{}", self.name.to_ascii_uppercase()),
            str::to_owned,
        )
    }

    /// The doc comment as one line.
    #[must_use]
    pub fn help(&self) -> String {
        let lines: Vec<&str> = self.help.iter().map(|line| line.trim()).collect();
        lines.join(" ").trim().to_owned()
    }
}

/// The table of one group.
#[derive(Clone, Copy, Debug)]
pub struct GroupSpec {
    /// Heading in `--help` and docs.
    pub title: &'static str,
    /// Doc comment of the group.
    pub about: &'static [&'static str],
    /// Dotted section of the file; empty for the root; `*` stands for any name.
    pub section: &'static str,
    /// The settings.
    pub fields: &'static [Field],
}

impl GroupSpec {
    /// Whether the group can only be written in the file, because a name is part of its keys.
    #[must_use]
    pub fn file_only(&self) -> bool {
        self.section.contains('*')
    }

    /// Dotted key of a field in the file.
    #[must_use]
    pub fn file_key(&self, field: &Field) -> String {
        if self.section.is_empty() {
            field.name.to_owned()
        } else {
            format!("{}.{}", self.section, field.key)
        }
    }
}

/// A struct of settings.
pub trait ConfigGroup: Sized {
    /// Dotted section of the file.
    const SECTION: &'static str;

    /// Appends the tables of this group and of those inside it.
    fn specs(into: &mut Vec<GroupSpec>);

    /// Reads the group; `None` after it has told `reader` of a problem.
    fn read(reader: &mut Reader<'_>, section: &[&str]) -> Option<Self>;
}

/// All the settings of one binary.
pub trait RoleConfig: ConfigGroup {
    /// Name of the role, as in the docs.
    const ROLE: &'static str;
    /// Defaults that differ from the common ones: unique name and value.
    const DEFAULTS: &'static [(&'static str, &'static str)];
}

/// Splits a dotted section into the path that [`ConfigGroup::read`] takes.
pub(crate) fn section_path(section: &'static str) -> Vec<&'static str> {
    section.split('.').filter(|part| !part.is_empty()).collect()
}

macro_rules! config_group {
    (@or ; $fallback:expr) => { $fallback };
    (@or $given:literal; $fallback:expr) => { $given };
    (@option) => { None };
    (@option $given:expr) => { Some($given) };
    (
        $(#[doc = $about:literal])+
        pub struct $Group:ident, $title:literal, in $section:literal {
            $(
                $(#[doc = $help:literal])+
                $field:ident: $ty:ty $(= $default:literal)? $(, name $name:literal)?
                $(, env $variable:literal)? $(, range $min:literal to $max:literal)?;
            )+
        }
        $(groups { $( $(#[doc = $nested_help:literal])+ $nested:ident: $Nested:ty; )+ })?
        $(maps { $( $(#[doc = $map_help:literal])+ $map:ident: $Entry:ty; )+ })?
        $(check $check:path;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $Group {
            $( $(#[doc = $help])+ pub $field: $ty, )+
            $($( $(#[doc = $nested_help])+ pub $nested: $Nested, )+)?
            $($( $(#[doc = $map_help])+ pub $map: std::collections::BTreeMap<String, $Entry>, )+)?
        }

        impl $Group {
            const FIELDS: &'static [$crate::config::Field] = &[$(
                $crate::config::Field {
                    key: stringify!($field),
                    name: $crate::config::group::config_group!(@or $($name)?; stringify!($field)),
                    variable: $crate::config::group::config_group!(@option $($variable)?),
                    help: &[$($help),+],
                    kind: <$ty as $crate::config::slot::Slot>::KIND,
                    default: $crate::config::group::config_group!(@option $($default)?),
                    range: $crate::config::group::config_group!(@option $(($min, $max))?),
                    secret: <$ty as $crate::config::slot::Slot>::SECRET,
                    list: <$ty as $crate::config::slot::Slot>::LIST,
                    switch: <$ty as $crate::config::slot::Slot>::SWITCH,
                },
            )+];
        }

        impl $crate::config::ConfigGroup for $Group {
            const SECTION: &'static str = $section;

            fn specs(into: &mut Vec<$crate::config::GroupSpec>) {
                into.push($crate::config::GroupSpec {
                    title: $title,
                    about: &[$($about),+],
                    section: $section,
                    fields: Self::FIELDS,
                });
                $($( <$Nested as $crate::config::ConfigGroup>::specs(into); )+)?
                $($( <$Entry as $crate::config::ConfigGroup>::specs(into); )+)?
            }

            // Everything is read before the first `?`, so that one bad setting does not hide the next.
            fn read(reader: &mut $crate::config::reader::Reader<'_>, section: &[&str]) -> Option<Self> {
                let mut fields = Self::FIELDS.iter();
                $( let $field = fields.next().and_then(|field| reader.field(section, field)); )+
                $($( let $nested = reader.group::<$Nested>(); )+)?
                $($( let $map = reader.map::<$Entry>(); )+)?
                let group = Self {
                    $( $field: $field?, )+
                    $($( $nested: $nested?, )+)?
                    $($( $map: $map?, )+)?
                };
                $( $check(&group, reader); )?
                Some(group)
            }
        }
    };
}
pub(crate) use config_group;

macro_rules! config_role {
    (
        $(#[doc = $about:literal])+
        pub struct $Role:ident, $role:literal {
            $( $(#[doc = $help:literal])+ $group:ident: $Group:ty, )+
        }
        defaults { $( $name:ident: $default:literal, )* }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $Role {
            $( $(#[doc = $help])+ pub $group: $Group, )+
        }

        impl $crate::config::ConfigGroup for $Role {
            const SECTION: &'static str = "";

            fn specs(into: &mut Vec<$crate::config::GroupSpec>) {
                $( <$Group as $crate::config::ConfigGroup>::specs(into); )+
            }

            fn read(reader: &mut $crate::config::reader::Reader<'_>, _section: &[&str]) -> Option<Self> {
                $( let $group = reader.group::<$Group>(); )+
                Some(Self { $( $group: $group?, )+ })
            }
        }

        impl $crate::config::RoleConfig for $Role {
            const ROLE: &'static str = $role;
            const DEFAULTS: &'static [(&'static str, &'static str)] =
                &[$( (stringify!($name), $default), )*];
        }
    };
}
pub(crate) use config_role;
