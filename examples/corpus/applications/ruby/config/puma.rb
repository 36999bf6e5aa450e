# frozen_string_literal: true

bind 'tcp://0.0.0.0:9292'
threads 1, 4
environment ENV.fetch('RACK_ENV')
raise_exception_on_sigterm false
