# frozen_string_literal: true

require_relative 'app/room'

run Room
