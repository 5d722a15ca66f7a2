//! The imports between the files of a crate, read from their text.
//!
//! A file imports another if a path in it leads to an item of the other: in a `use`, in code or in a macro. A
//! re-export (`pub use`) is no import; a file that uses the re-export imports the file that defines the item.
//! Nor is it an import if a module uses items of a module that contains it: Rust makes all of them visible to
//! it, private ones too. Code under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprLit, Item, ItemMod, Lit, Meta, UseTree, Visibility};

/// The path of a module from the root of its crate, as in `crate::a::b`.
pub type ModulePath = Vec<String>;

/// A module: its file, and the names that a path through it can meet.
#[derive(Default)]
struct Module {
    file: PathBuf,
    children: BTreeSet<String>,
    /// Names that `use` brings in, and their paths.
    imported: BTreeMap<String, Vec<String>>,
    /// Modules that `use ...::*` brings in.
    globs: Vec<Vec<String>>,
    /// Items that this file defines.
    defined: BTreeSet<String>,
    /// Every path in this file that may lead to another file.
    paths: BTreeSet<Vec<String>>,
}

/// The modules of one crate.
pub struct Crate {
    modules: BTreeMap<ModulePath, Module>,
    /// Macros with `#[macro_export]`, which live at the root.
    macros: BTreeMap<String, ModulePath>,
}

impl Crate {
    /// Reads the crate whose root is this file.
    ///
    /// # Errors
    /// As text: which file cannot be read or parsed.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut read = Self { modules: BTreeMap::new(), macros: BTreeMap::new() };
        let folder = root.parent().ok_or("a root has a folder")?;
        read.file(root, folder, Vec::new())?;
        Ok(read)
    }

    /// For each file the files that it imports.
    pub fn imports(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let mut all: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for (at, module) in &self.modules {
            let targets = module.paths.iter().filter_map(|path| self.resolve(at, path, 0));
            let files = targets.filter_map(|target| Some(self.modules.get(&target)?.file.clone()));
            let others = files.filter(|file| *file != module.file && !self.is_above(file, at));
            all.entry(module.file.clone()).or_default().extend(others);
        }
        all
    }

    /// Whether this is the file of a module that contains this one.
    fn is_above(&self, file: &Path, at: &[String]) -> bool {
        let above = (0..at.len()).filter_map(|depth| self.modules.get(at.get(..depth)?));
        above.into_iter().any(|module| module.file == file)
    }

    fn file(&mut self, file: &Path, folder: &Path, at: ModulePath) -> Result<(), String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.items(&parsed.items, file, folder, at)
    }

    fn items(&mut self, items: &[Item], file: &Path, folder: &Path, at: ModulePath) -> Result<(), String> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(item)) {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    module.children.insert(name.clone());
                    let (inside, at) = (folder.join(&name), [at.clone(), vec![name.clone()]].concat());
                    if let Some((_, items)) = &child.content {
                        self.items(items, file, &inside, at)?;
                    } else {
                        let (file, inside) = file_of(child, file, folder, &inside);
                        self.file(&file, &inside, at)?;
                    }
                }
                Item::Use(import) => {
                    let is_import = matches!(import.vis, Visibility::Inherited);
                    module.import(&import.tree, &[], is_import);
                }
                other => {
                    if let Some(name) = name_of(other) {
                        module.defined.insert(name.clone());
                        if is_exported_macro(other) {
                            self.macros.insert(name, at.clone());
                        }
                    }
                    if let Item::Macro(call) = other {
                        defined_in(call.mac.tokens.clone(), &mut module.defined);
                    }
                    paths_in(other.to_token_stream(), &mut module.paths);
                }
            }
        }
        self.modules.insert(at, module);
        Ok(())
    }

    /// The module that defines the item of this path in this module; `None` for an item of another crate.
    fn resolve(&self, at: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let module = self.modules.get(at)?;
        let (first, rest) = path.split_first()?;
        // Imports that lead to each other.
        if depth > 16 {
            return None;
        }
        match first.as_str() {
            "crate" => match rest {
                [name] if self.macros.contains_key(name) => self.macros.get(name).cloned(),
                _ => self.inside(&[], rest, depth),
            },
            "self" => self.inside(at, rest, depth),
            "super" => self.inside(above(at)?, rest, depth),
            _ if module.children.contains(first) => self.inside(at, path, depth),
            _ => {
                let target = module.imported.get(first)?;
                self.resolve(at, &[target.as_slice(), rest].concat(), depth + 1)
            }
        }
    }

    /// The same for a path that begins in this module. A name without a definition in the text was defined by
    /// a macro of this module.
    fn inside(&self, at: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let module = self.modules.get(at)?;
        let Some((first, rest)) = path.split_first() else { return Some(at.to_vec()) };
        if first == "super" {
            return self.inside(above(at)?, rest, depth);
        }
        if module.children.contains(first) {
            return self.inside(&[at, std::slice::from_ref(first)].concat(), rest, depth);
        }
        if let Some(target) = module.imported.get(first) {
            return self.resolve(at, &[target.as_slice(), rest].concat(), depth + 1);
        }
        if module.defined.contains(first) {
            return Some(at.to_vec());
        }
        let globs = module.globs.iter().filter_map(|glob| self.resolve(at, glob, depth + 1));
        let mut through =
            globs.filter(|target| self.modules.get(target).is_some_and(|module| module.has(first)));
        let through = through.find_map(|target| self.inside(&target, path, depth + 1));
        through.or_else(|| Some(at.to_vec()))
    }
}

/// The module that contains this one.
fn above(at: &[String]) -> Option<&[String]> {
    at.split_last().map(|(_, above)| above)
}

impl Module {
    /// Whether a path through this module finds the name here or in what this module imports by name.
    fn has(&self, name: &str) -> bool {
        self.children.contains(name) || self.imported.contains_key(name) || self.defined.contains(name)
    }

    /// Records a `use`; a re-export is no import of this file.
    fn import(&mut self, tree: &UseTree, before: &[String], is_import: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let mut bring = |name: String, path: Vec<String>| {
            // `use a::{self}` names the module itself.
            let (name, path) = match path.as_slice() {
                [module @ .., last] if last == "self" && !module.is_empty() => {
                    (module.last().cloned().unwrap_or_default(), module.to_vec())
                }
                _ => (name, path),
            };
            if is_import {
                self.paths.insert(path.clone());
            }
            self.imported.insert(name, path);
        };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), is_import),
            UseTree::Name(name) => bring(name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(rename) => bring(rename.rename.to_string(), with(&rename.ident)),
            UseTree::Glob(_) => {
                if is_import {
                    self.paths.insert(before.to_vec());
                }
                self.globs.push(before.to_vec());
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_import);
                }
            }
        }
    }
}

/// Every path of at least two names in these tokens, macros included.
fn paths_in(tokens: TokenStream, paths: &mut BTreeSet<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    finish(&mut path, paths);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Group(group) => {
                finish(&mut path, paths);
                colons = 0;
                paths_in(group.stream(), paths);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                finish(&mut path, paths);
                colons = 0;
            }
        }
    }
    finish(&mut path, paths);
}

fn finish(path: &mut Vec<String>, paths: &mut BTreeSet<Vec<String>>) {
    if path.len() > 1 {
        paths.insert(std::mem::take(path));
    }
    path.clear();
}

/// The items that the call of a macro declares: a name after `struct` and the like.
fn defined_in(tokens: TokenStream, defined: &mut BTreeSet<String>) {
    const DECLARE: [&str; 7] = ["const", "enum", "fn", "static", "struct", "trait", "type"];
    let mut declares = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                if std::mem::replace(&mut declares, DECLARE.contains(&name.as_str())) {
                    defined.insert(name);
                }
            }
            TokenTree::Group(group) => defined_in(group.stream(), defined),
            TokenTree::Punct(_) | TokenTree::Literal(_) => declares = false,
        }
    }
}

/// The file of a module that is declared in `file`, and the folder of its own modules.
fn file_of(module: &ItemMod, file: &Path, folder: &Path, inside: &Path) -> (PathBuf, PathBuf) {
    let given = module.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    });
    if let (Some(path), Some(beside)) = (given, file.parent()) {
        let file = beside.join(path);
        let folder = file.parent().unwrap_or(beside).to_owned();
        return (file, folder);
    }
    let flat = folder.join(format!("{}.rs", module.ident));
    (if flat.exists() { flat } else { inside.join("mod.rs") }, inside.to_owned())
}

fn is_test(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => return false,
    };
    attributes
        .iter()
        .any(|attribute| attribute.to_token_stream().to_string().replace(' ', "") == "#[cfg(test)]")
}

fn is_exported_macro(item: &Item) -> bool {
    matches!(item, Item::Macro(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")))
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
