"""The one error that a user can put right."""


class DemoError(Exception):
    """Bad input, told in one clear sentence.

    expected: what the program can work with ("an odd size from 3 to 31").
    received: what came ("size 4").
    remedy: what to do ("Choose 3 or 5."), a whole sentence.
    """

    def __init__(self, expected: str, received: str, remedy: str) -> None:
        super().__init__(f"Expected {expected}; got {received}. {remedy}")
        self.expected = expected
        self.received = received
        self.remedy = remedy

    def __reduce__(self):
        # Exceptions pickle by their args: ours has one, but three fields. ZeroGPU pickles errors.
        return type(self), (self.expected, self.received, self.remedy)
