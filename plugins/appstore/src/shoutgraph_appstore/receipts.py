"""Proves what the App Store signed: transactions and notifications, by Apple's own library.

Everything is a JWS whose header carries three certificates: the chain has to end in a configured root, and to bear the
marks of Apple's (1.2.840.113635.100.6.11.1 on the leaf, .6.2.1 on the one above). Then the application and the
environment have to be ours.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from appstoreserverlibrary.models.Environment import Environment
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload as Transaction
from appstoreserverlibrary.models.ResponseBodyV2DecodedPayload import ResponseBodyV2DecodedPayload as Notification
from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier, VerificationException, VerificationStatus
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from shoutgraph_appstore.config import AppStoreConfig

CHECKS_MAX: Final = 2
"""The most receipts whose certificates are asked about at once; an answer is good for a quarter of an hour."""

RECEIPT_CHARS_MAX: Final = 65_536
"""The longest receipt that is looked at."""

NOT_GENUINE: Final = "not_genuine"
CODES: Final = {
    VerificationStatus.INVALID_APP_IDENTIFIER: "other_app",
    VerificationStatus.INVALID_ENVIRONMENT: "other_environment",
}


class NotGenuineError(Exception):
    """The App Store did not sign this for our application; `code` says what is wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code: Final = code


class UncheckedError(Exception):
    """Apple did not confirm that the certificates are still good: it could not be asked, or has revoked them."""


class Receipts:
    """Reads what is signed for one application. Only `check` does I/O: a notification is read without any."""

    def __init__(self, config: AppStoreConfig) -> None:
        self._offline = _verifier(config, online=False)
        self._online = _verifier(config, online=True)
        # The library blocks while it asks, so that is done on threads of this instance's own.
        self._threads = ThreadPoolExecutor(CHECKS_MAX, "appstore-ocsp") if config.online_checks else None

    def transaction(self, signed: str) -> Transaction:
        """A transaction that the App Store signed.

        Raises:
            NotGenuineError: it did not, or not for our application and environment.
        """
        if len(signed) > RECEIPT_CHARS_MAX:
            raise NotGenuineError(NOT_GENUINE)
        try:
            return self._offline.verify_and_decode_signed_transaction(signed)
        except VerificationException as refused:
            raise NotGenuineError(CODES.get(refused.status, NOT_GENUINE)) from refused

    async def check(self, signed: str) -> None:
        """Asks Apple, where that is configured, whether the certificates of a genuine transaction are still good.

        Raises:
            UncheckedError: it did not say so.
        """
        if self._threads is None:
            return
        work = self._online.verify_and_decode_signed_transaction
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, work, signed)
        except VerificationException as refused:
            raise UncheckedError from refused

    def notification(self, signed: str) -> Notification:
        """A notification that the App Store signed.

        Raises:
            NotGenuineError: it did not, or not for our application and environment.
        """
        try:
            return self._offline.verify_and_decode_notification(signed)
        except VerificationException as refused:
            raise NotGenuineError(CODES.get(refused.status, NOT_GENUINE)) from refused

    def close(self) -> None:
        """Lets the threads go; a check that is under way ends by itself."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _verifier(config: AppStoreConfig, *, online: bool) -> SignedDataVerifier:
    roots = [x509.load_pem_x509_certificate(each.encode()) for each in config.root_certificates]
    return SignedDataVerifier(
        [each.public_bytes(Encoding.DER) for each in roots],
        online,
        Environment(config.environment.value),
        config.bundle_id,
        config.app_apple_id,
    )
