"""A host whose REST framework settings, time, language and mount are unlike anybody else's."""
