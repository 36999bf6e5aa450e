# frozen_string_literal: true

require 'yaml'

# The books, as a YAML file keeps them.
module Shelf
  Book = Struct.new(:title, :author, :year, keyword_init: true)
  FILE = File.expand_path('../data/books.yaml', __dir__)

  def self.books
    YAML.safe_load_file(FILE, symbolize_names: true).map { |one| Book.new(**one) }
  end

  def self.check(given)
    require 'date'
    { title: given.fetch('title'), returned: Date.parse(given.fetch('lent')).next_month.iso8601 }
  end
end
