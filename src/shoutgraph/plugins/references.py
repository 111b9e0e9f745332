"""Secrets in the configuration are references, `{env = "NAME"}` or `{file = "/path"}`, never values."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from shoutgraph.plugins import scrubbing

SECRET_FILE_BYTES_MAX: Final = 65_536
DEPTH_MAX: Final = 8
"""How deeply a configuration may be nested."""

ERRORS_MAX: Final = 5
"""How many mistakes of one configuration are told at once."""


class ConfigurationError(Exception):
    """An instance's configuration cannot be used; the message names the field and never a value."""


class References:
    """Resolves references and remembers the secrets that it gave out."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.secrets: list[SecretStr] = []

    def resolve(self, value: object, path: str = "", depth: int = 0) -> object:
        """The configuration with every reference replaced by a `SecretStr`.

        Raises:
            ConfigurationError: a reference leads nowhere, or its secret is too short.
        """
        if depth > DEPTH_MAX:
            raise ConfigurationError(f"{path}: nested too deeply")
        if isinstance(value, SecretStr):
            return self._secret(value.get_secret_value(), path)
        if isinstance(value, Mapping):
            read = self._reader(value)
            if read is not None:
                return self._secret(read(path), path)
            return {name: self.resolve(inner, _step(path, name), depth + 1) for name, inner in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [self.resolve(inner, _step(path, at), depth + 1) for at, inner in enumerate(value)]
        return value

    def _reader(self, value: Mapping[str, object]) -> Callable[[str], str] | None:
        match dict(value):
            case {"env": str(name), **rest} if not rest:
                return lambda path: self._from_environ(name, path)
            case {"file": str(name), **rest} if not rest:
                return lambda path: _from_file(name, path)
            case _:
                return None

    def _secret(self, value: str, path: str) -> SecretStr:
        if len(value.strip()) < scrubbing.SECRET_CHARS_MIN:
            raise ConfigurationError(f"{path}: a secret has at least {scrubbing.SECRET_CHARS_MIN} characters")
        secret = SecretStr(value)
        self.secrets.append(secret)
        return secret

    def _from_environ(self, name: str, path: str) -> str:
        value = self._environ.get(name)
        if value is None:
            raise ConfigurationError(f"{path}: the environment has no {name}")
        return value


def validated(model: type[BaseModel], raw: Mapping[str, object], references: References) -> BaseModel:
    """The configuration of one instance as its plugin's model.

    Raises:
        ConfigurationError: a field is wrong, unknown, or a secret that was written down instead of referred to.
    """
    names = set(model.model_fields) | {field.alias for field in model.model_fields.values()}
    unknown = sorted(set(raw) - names)
    if unknown:
        raise ConfigurationError(f"{unknown[0]}: there is no such field")
    resolved = references.resolve(raw)
    try:
        config = model.model_validate(resolved)
    except ValidationError as error:
        raise ConfigurationError(_told(error)) from None
    known = {secret.get_secret_value() for secret in references.secrets}
    _require_references(config, known, path="", depth=0)
    return config


def _require_references(value: object, known: set[str], *, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ConfigurationError(f"{path}: nested too deeply")
    if isinstance(value, SecretBytes):
        raise ConfigurationError(f"{path}: the model's secrets are SecretStr")
    if isinstance(value, SecretStr):
        if value.get_secret_value() not in known:
            raise ConfigurationError(f"{path}: a secret is a reference, such as {{env = ...}}, not a value")
        return
    for name, inner in _inside(value):
        _require_references(inner, known, path=_step(path, name), depth=depth + 1)


def _inside(value: object) -> list[tuple[object, object]]:
    if isinstance(value, BaseModel):
        return list(value)
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return list(enumerate(value))
    return []


def _from_file(name: str, path: str) -> str:
    try:
        with Path(name).open("rb") as file:
            body = file.read(SECRET_FILE_BYTES_MAX + 1)
        text = body.decode()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {name} cannot be read: {type(error).__name__}") from None
    if len(body) > SECRET_FILE_BYTES_MAX:
        raise ConfigurationError(f"{path}: {name} is too large for a secret")
    return text.rstrip("\r\n")


def _told(error: ValidationError) -> str:
    # Neither inputs nor contexts: they hold values.
    found = error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_MAX]
    return "; ".join(f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}" for each in found)


def _step(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
