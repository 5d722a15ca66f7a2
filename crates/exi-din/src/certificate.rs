//! Contracts and certificates.

use exi::{Base64Binary, List, Text, element};

/// A certificate, DER-encoded: at most 1200 bytes.
pub type Certificate<'a> = Base64Binary<'a, 1200>;
/// An encrypted private key: at most 128 bytes.
pub type PrivateKey<'a> = Base64Binary<'a, 128>;
/// Parameters of a Diffie-Hellman exchange: at most 256 bytes.
pub type DhParams<'a> = Base64Binary<'a, 256>;
/// A contract's id: at most 24 characters.
pub type ContractId<'a> = Text<'a, 24>;
/// The name of a root certificate: at most 40 characters.
pub type RootCertificateId<'a> = Text<'a, 40>;

element! {
    /// A certificate and the certificates between it and its root.
    pub struct CertificateChain<'a> {
        /// The certificate.
        pub certificate: Certificate<'a> = "Certificate",
        /// The certificates between it and its root.
        pub sub_certificates: Option<SubCertificates<'a>> = "SubCertificates",
    }

    /// The certificates between a certificate and its root.
    pub struct SubCertificates<'a> {
        /// At least one.
        pub certificate: List<'a, Certificate<'a>> = "Certificate",
    }

    /// The root certificates that are installed in the car.
    pub struct ListOfRootCertificateIds<'a> {
        /// At least one.
        pub root_certificate_id: List<'a, RootCertificateId<'a>> = "RootCertificateID",
    }
}
